#include "cli/serve_options.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "cli/client_config.h"
#include "mcp/http_sse.h"
#include "net/http_guard.h"

namespace mxcp::cli {
namespace {

Result<int> port_from(const std::string& text) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 0 || port > 65535) {
    return Error{Code::kUsage,
                 "'" + text + "' is no port",
                 {},
                 "--port takes a number from 0 (any that is free) to 65535"};
  }
  return port;
}

// The path of the endpoint: such as a request line can have, and nobody else's.
Result<std::string> path_from(std::string path, bool sse) {
  if (!path.starts_with('/')) path.insert(0, "/");
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const bool possible = std::all_of(path.begin(), path.end(), [](char c) {
    // RFC 3986: the characters of a path; others are written as %20.
    constexpr std::string_view kOthers = "/-._~!$&'()*+,;=:@%";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
  if (!possible) {
    return Error{Code::kUsage,
                 "no request can ask for the path '" + path + "'",
                 {},
                 "--path takes letters, digits and '/', '-', '_', '.', such as /tools/mcp"};
  }
  const bool taken = path == "/livez" || path == "/readyz" || path == "/metrics" ||
                     (sse && path == mcp::SseOptions().messages_path);
  if (taken) {
    return Error{Code::kUsage,
                 "the server has a page of its own at '" + path + "'",
                 {},
                 "choose another --path for the endpoint"};
  }
  return path;
}

bool is_open_to_others(const net::HttpOptions& options) {
  return options.unix_socket.empty() && !net::is_loopback_name(to_lower(options.host));
}

}  // namespace

Result<HttpServing> http_options(const Context& context, const project::Project& project,
                                 bool sse) {
  const project::HttpTransportConfig& config = project.user().http;
  // As from a variable of the shell that is not set: nothing weaker is taken for it.
  for (const char* option : {"host", "unix-socket", "tls-cert", "tls-key"}) {
    if (context.line.value(option) == "") {
      return Error{Code::kUsage,
                   "--" + std::string(option) + " is empty",
                   {},
                   "give it a value, or leave it out"};
    }
  }
  HttpServing serving;
  net::HttpOptions& options = serving.http;
  options.host = context.line.value("host").value_or(config.host);
  options.port = config.port;
  if (const auto port = context.line.value("port")) {
    MXCP_TRY(options.port, port_from(*port));
  }
  options.unix_socket = context.line.value("unix-socket").value_or("");
  options.base_url = config.base_url;
  options.trust_proxy = config.trust_proxy;
  options.allowed_hosts = config.allowed_hosts;
  const auto cert = context.line.value("tls-cert");
  const auto key = context.line.value("tls-key");
  if (cert.has_value() != key.has_value()) {
    return Error{Code::kUsage,
                 cert ? "--tls-cert needs --tls-key" : "--tls-key needs --tls-cert",
                 {},
                 "name both files: the certificate and its private key"};
  }
  options.tls_certificate = cert ? expand_home(*cert).string() : config.tls_cert;
  options.tls_key = key ? expand_home(*key).string() : config.tls_key;
  // Where others may come in, the names of endpoints are not for everybody.
  const bool only_here = !is_open_to_others(options) && options.base_url.empty() &&
                         options.allowed_hosts.empty() && !options.trust_proxy;
  serving.metrics = config.metrics.value_or(only_here);
  if (const auto metrics = context.line.value("metrics")) serving.metrics = metrics == "true";
  serving.sse = sse;
  serving.scheme = config.scheme;
  serving.stateless = context.line.has("stateless") || config.stateless;
  if (const auto path = context.line.value("path")) {
    MXCP_TRY(serving.path, path_from(*path, sse));
  }
  return serving;
}

void warn_about_hosts(const net::HttpOptions& options) {
  if (!is_open_to_others(options) && !options.trust_proxy) return;
  if (!options.base_url.empty() || !options.allowed_hosts.empty()) return;
  log::warning("serve",
               "others can reach this server, by IP address or a local name; requests for other "
               "names are refused (403) until transport.http.allowed_hosts or base_url of the user "
               "configuration name them");
}

void warn_about_options_of_http(const Context& context) {
  for (const char* option :
       {"host", "port", "path", "unix-socket", "tls-cert", "tls-key", "metrics", "stateless"}) {
    if (!context.line.has(option)) continue;
    log::warning("serve", "--{} changes nothing for the transport stdio", option);
  }
}

// --- for clients --------------------------------------------------------------------------------

namespace {

// The options that the server of a client is to have, too.
void pass_on(const Context& context, std::vector<std::string>& command) {
  for (const char* flag : {"readonly", "ignore-errors", "no-watch", "debug"}) {
    if (context.line.has(flag)) command.push_back("--" + std::string(flag));
  }
  for (const char* option : {"profile", "sql-tools"}) {
    if (const auto value = context.line.value(option)) {
      command.insert(command.end(), {"--" + std::string(option), *value});
    }
  }
}

std::string url_for_clients(const HttpServing& serving) {
  const net::HttpOptions& options = serving.http;
  const std::string path = !serving.path.empty() ? serving.path : serving.sse ? "/sse" : "/mcp";
  if (!options.base_url.empty()) {
    std::string base = options.base_url;
    while (base.ends_with('/')) base.pop_back();
    // One with a path is the whole address.
    return base.find('/', base.find("://") + 3) == std::string::npos ? base + path : base;
  }
  std::string host = options.host;
  if (host == "0.0.0.0" || host == "::" || host == "[::]") host = "localhost";
  if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
  const bool secure = !options.tls_certificate.empty() || serving.scheme == "https";
  return (secure ? "https://" : "http://") + host + ":" + std::to_string(options.port) + path;
}

}  // namespace

int print_config(const Context& context, const project::Project& project,
                 const std::string& transport) {
  const std::string client = *context.line.value("print-config");
  ClientEntry entry;
  entry.name = project.site().project;
  entry.folder = project.root();
  if (transport == "stdio") {
    entry.command = absolute_command(context.program);
    entry.command.insert(entry.command.end(), {"serve", "--transport", "stdio"});
    pass_on(context, entry.command);
    // Clients give servers little of the environment that this shell has.
    std::error_code failed;
    if (const std::string config = environment("MXCP_CONFIG"); !config.empty()) {
      entry.variables["MXCP_CONFIG"] = fs::absolute(expand_home(config), failed).string();
    }
    if (const std::string profile = environment("MXCP_PROFILE");
        !profile.empty() && !context.line.has("profile")) {
      entry.variables["MXCP_PROFILE"] = profile;
    }
  } else {
    const auto serving = http_options(context, project, transport == "sse");
    if (!serving.ok()) return context.fail(serving.error());
    const net::HttpOptions& http = serving->http;
    if (!http.unix_socket.empty() && http.base_url.empty()) {
      return context.fail({Code::kUsage,
                           "clients reach no Unix socket by an URL",
                           {},
                           "leave out --unix-socket and give --port, or name the proxy before it "
                           "in transport.http.base_url of the user configuration"});
    }
    if (http.port == 0 && http.base_url.empty()) {
      return context.fail({Code::kUsage,
                           "--print-config needs the port that the server will have",
                           {},
                           "give it with --port"});
    }
    if (client == "codex" && serving->sse) {
      return context.fail({Code::kUsage,
                           "Codex does not speak HTTP+SSE of 2024-11-05",
                           {},
                           "use --transport streamable-http"});
    }
    entry.sse = serving->sse;
    entry.url = url_for_clients(*serving);
  }
  context.output.out.write(client_config(client, entry));
  context.output.err.line("Belongs into " + client_config_place(client));
  return 0;
}

}  // namespace mxcp::cli
