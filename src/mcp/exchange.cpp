#include "mcp/exchange.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "base/json.h"

namespace mxcp::mcp {
namespace {

std::string implementation(const ServerInfo& info, bool with_title, bool with_all) {
  std::string out = R"({"name":)";
  append_json_string(out, info.name);
  const auto add = [&](bool wanted, std::string_view key, const std::string& value) {
    if (!wanted || value.empty()) return;
    out += R"(,")";
    out += key;
    out += R"(":)";
    append_json_string(out, value);
  };
  add(with_title, "title", info.title);
  add(true, "version", info.version);
  add(with_all, "description", info.description);
  add(with_all, "websiteUrl", info.website);
  if (with_all && !info.icons.empty()) {
    out += R"(,"icons":)";
    append_json(out, info.icons);
  }
  out += '}';
  return out;
}

// A whole number as such: 50, not 50.0.
void append_number(std::string& out, double value) {
  constexpr double kExact = 9007199254740992.0;
  if (value == std::trunc(value) && std::abs(value) <= kExact) {
    append_json_int(out, static_cast<std::int64_t>(value));
  } else {
    append_json_double(out, value);
  }
}

}  // namespace

Presentation::Presentation(ServerInfo given)
    : info(std::move(given)),
      full(implementation(info, true, true)),
      titled(implementation(info, true, false)),
      bare(implementation(info, false, false)) {}

const std::string& Presentation::text(const Revision& revision) const {
  if (revision.icons) return full;
  return revision.structured ? titled : bare;
}

Setup::Setup(ServerOptions given)
    : options(std::move(given)),
      presentation_(std::make_shared<const Presentation>(options.info)) {}

void Setup::present(ServerInfo info) const {
  auto presentation = std::make_shared<const Presentation>(std::move(info));
  const std::lock_guard lock(mutex_);
  presentation_ = std::move(presentation);
}

// --- Reply --------------------------------------------------------------------------------------

Reply::Reply(const Exchange& exchange, std::size_t size_hint, std::string_view result_type)
    : revision_(exchange.revision()),
      setup_(exchange.setup()),
      introduces_(exchange.method() == "server/discover") {
  text_.reserve(size_hint + 256);
  text_ += R"({"jsonrpc":"2.0","id":)";
  text_ += exchange.id().json;
  text_ += R"(,"result":{)";
  if (revision_.stateless) {
    std::string& out = member("resultType") += '"';
    out += result_type;
    out += '"';
  }
}

std::string& ObjectText::member(std::string_view key) {
  if (!std::exchange(first_, false)) text_ += ',';
  text_ += '"';
  text_ += key;
  text_ += R"(":)";
  return text_;
}

void ObjectText::append(std::string_view members) {
  if (!std::exchange(first_, false)) text_ += ',';
  text_ += members;
}

void Reply::cache_for(std::chrono::milliseconds ttl, bool same_for_all_callers) {
  if (!revision_.stateless) return;
  append_json_int(member("ttlMs"), std::max<std::int64_t>(0, ttl.count()));
  member("cacheScope") += same_for_all_callers ? R"("public")" : R"("private")";
}

void ObjectText::meta(std::string_view key, std::string_view json) {
  meta_ += meta_.empty() ? '{' : ',';
  append_json_string(meta_, key);
  meta_ += ':';
  meta_ += json;
}

void ObjectText::write_meta() {
  if (meta_.empty()) return;
  std::string& out = member("_meta");
  out += meta_;
  out += '}';
}

std::string Reply::finish() && {
  if (revision_.stateless) {
    const auto presentation = setup_.presentation();
    meta("io.modelcontextprotocol/serverInfo",
         introduces_ ? presentation->text(revision_) : presentation->titled);
    if (!subscription_.empty()) meta("io.modelcontextprotocol/subscriptionId", subscription_);
  }
  write_meta();
  text_ += "}}";
  return std::move(text_);
}

// --- Exchange -----------------------------------------------------------------------------------

Exchange::Exchange(Message message, RequestMeta meta, Caller caller, std::shared_ptr<Peer> peer,
                   std::weak_ptr<ExchangeOwner> owner, std::shared_ptr<const Setup> setup)
    : id_(std::move(message.id)),
      method_(std::move(message.method)),
      meta_(std::move(meta)),
      setup_(std::move(setup)),
      owner_(std::move(owner)),
      params_(std::move(message.params)),
      caller_(std::move(caller)),
      peer_(std::move(peer)),
      last_progress_(-std::numeric_limits<double>::infinity()) {}

bool Exchange::declares(std::string_view extension) const {
  if (meta_.capabilities == nullptr) return false;
  const Value* const extensions = meta_.capabilities->find("extensions");
  const Value* const declared = extensions == nullptr ? nullptr : extensions->find(extension);
  return declared != nullptr && declared->is_object();
}

bool Exchange::answer(Reply reply) {
  return settle(std::move(reply).finish(), 0);
}

void Exchange::fail(const RpcError& error) {
  settle(error_message(&id_, false, error), error.code);
}

bool Exchange::settle(std::string message, int error_code) {
  std::shared_ptr<void> place;
  {
    const std::lock_guard lock(mutex_);
    place.swap(place_);
    if (!is_open()) return false;
    if (!late_progress_.empty()) {
      peer_->send(notification_message("notifications/progress", late_progress_));
    }
    if (setup_->options.on_end) setup_->options.on_end(method_, error_code);
    // Closed before the message leaves: whoever has read it may use the id again.
    close()->answer(std::move(message), error_code);
  }
  if (const auto owner = owner_.lock()) owner->closed(*this);
  return true;
}

bool Exchange::withdraw() {
  return stop(true);
}
bool Exchange::abandon() {
  return stop(false);
}

bool Exchange::stop(bool tell_peer) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_open()) return false;
    if (setup_->options.on_end) setup_->options.on_end(method_, {});
    const auto peer = close();
    if (tell_peer) peer->withdrawn();
  }
  cancel_->cancel();
  if (const auto owner = owner_.lock()) owner->closed(*this);
  return true;
}

std::shared_ptr<Peer> Exchange::close() {
  open_.store(false, std::memory_order_release);
  return std::move(peer_);
}

bool Exchange::notify(std::string_view method, std::string_view params) {
  std::string message = notification_message(method, params);
  const std::lock_guard lock(mutex_);
  if (!is_open()) return false;
  peer_->send(std::move(message));
  return true;
}

void Exchange::release(std::chrono::milliseconds retry) {
  const std::lock_guard lock(mutex_);
  if (is_open()) peer_->release(retry);
}

void Exchange::log(const std::string& level, const std::string& logger, const Value& data) {
  if (meta_.log_threshold == nullptr || !is_open()) return;
  const LogLevel parsed = log_level_from(level).value_or(LogLevel::kInfo);
  if (parsed < meta_.log_threshold->load(std::memory_order_relaxed)) return;
  std::string params = R"({"level":")";
  params += name_of(parsed);
  params += '"';
  if (!logger.empty()) {
    params += R"(,"logger":)";
    append_json_string(params, logger);
  }
  params += R"(,"data":)";
  append_json(params, data);
  params += '}';
  notify("notifications/message", params);
}

void Exchange::progress(double progress, std::optional<double> total, const std::string& message) {
  if (!wants_progress() || !std::isfinite(progress)) return;
  const Instant now = setup_->options.clock->now();
  const std::lock_guard lock(mutex_);
  if (!is_open() || progress <= last_progress_) return;
  const bool first = std::isinf(last_progress_);
  last_progress_ = progress;

  std::string params = R"({"progressToken":)" + meta_.progress_token + R"(,"progress":)";
  append_number(params, progress);
  if (total && std::isfinite(*total)) {
    params += R"(,"total":)";
    append_number(params, *total);
  }
  if (!message.empty() && meta_.revision->progress_messages) {
    params += R"(,"message":)";
    append_json_string(params, message);
  }
  params += '}';

  if (first) budget_time_ = now;
  const double seconds = std::chrono::duration<double>(now - budget_time_).count();
  progress_budget_ = std::min(kProgressBurst, progress_budget_ + seconds * kProgressRate);
  budget_time_ = now;
  if (progress_budget_ < 1) {
    late_progress_ = std::move(params);
    return;
  }
  progress_budget_ -= 1;
  late_progress_.clear();
  peer_->send(notification_message("notifications/progress", params));
}

}  // namespace mxcp::mcp
