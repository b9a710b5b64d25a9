// resources/read.
#include "base/json.h"
#include "mcp/core.h"

namespace mxcp::mcp {

invoke::Request resource_request(const ExchangePtr& exchange, const Catalog::Resource& resource) {
  invoke::Request request;
  request.kind = project::EndpointKind::kResource;
  request.id = resource.endpoint->uri;
  // What stood in a URI is text.
  request.source = types::Source::kText;
  for (const auto& [name, value] : resource.values) request.arguments.set(name, value);
  request.caller = exchange->caller();
  request.cancel = exchange->cancel_token();
  request.client = exchange;
  return request;
}

void append_resource_contents(std::string& out, std::string_view uri,
                              const invoke::Outcome& outcome) {
  const bool is_text = outcome.json.starts_with('"');
  out += R"({"uri":)";
  append_json_string(out, uri);
  out += R"(,"mimeType":)";
  if (outcome.endpoint != nullptr && outcome.endpoint->mime_type) {
    append_json_string(out, *outcome.endpoint->mime_type);
  } else {
    out += outcome.is_blob ? R"("application/octet-stream")"
           : is_text       ? R"("text/plain")"
                           : R"("application/json")";
  }
  out += outcome.is_blob ? R"(,"blob":)" : R"(,"text":)";
  if (is_text) {
    out += outcome.json;
  } else {
    append_quoted_json(out, outcome.json);
  }
  out += '}';
}

void append_resource_notice(std::string& out, std::string_view uri,
                            const invoke::Outcome& outcome) {
  if (outcome.notice.empty()) return;
  const bool has_fragment = uri.find('#') != std::string_view::npos;
  out += R"(,{"uri":)";
  append_json_string(out, std::string(uri) + (has_fragment ? ".truncated" : "#truncated"));
  out += R"(,"mimeType":"text/plain","text":)";
  append_json_string(out, outcome.notice);
  out += '}';
}

void read_resource(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!has_resources(*catalog)) return exchange->fail(nothing_to_serve("resources"));
  const std::string* const uri = required_text(exchange, "uri");
  if (uri == nullptr) return;
  const auto not_found = [](const ExchangePtr& to, const std::string& what) {
    to->fail({to->revision().resource_not_found, "resource not found: '" + what + "'",
              Value(Object{{"uri", what}})});
  };
  auto resource = catalog->resolve(*uri);
  if (!resource) return not_found(exchange, *uri);

  invoke::Request request = resource_request(exchange, *resource);
  request.goes_on = exchange->goes_on();
  core.backend().call(
      std::move(request), [exchange, uri = *uri, not_found](const invoke::Outcome& outcome) {
        if (outcome.error && outcome.error->code == Code::kNotFound && !outcome.endpoint) {
          return not_found(exchange, uri);
        }
        if (outcome.error) return exchange->fail(call_failed(outcome));
        Reply reply(*exchange, uri.size() + 2 * outcome.json.size());
        std::string& out = reply.member("contents");
        out += '[';
        append_resource_contents(out, uri, outcome);
        append_resource_notice(out, uri, outcome);
        out += ']';
        add_limit_meta(reply, outcome);
        // What a query says now it may not say a moment later, nor to the next caller, unless the
        // author knows better. An answer that took a question, or looked at who asks, is nobody
        // else's.
        project::CacheSettings cache;
        if (outcome.endpoint != nullptr && exchange->answers().empty()) {
          cache = outcome.endpoint->cache.value_or(cache);
          if (outcome.endpoint->policies.any() || outcome.about_caller) cache.same_for_all = false;
        }
        reply.cache_for(cache.ttl, cache.same_for_all);
        exchange->answer(std::move(reply));
      });
}

}  // namespace mxcp::mcp
