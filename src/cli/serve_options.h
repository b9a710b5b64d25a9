// What `mxcp serve` is told about its transport: options, over the user's configuration.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/parts.h"

namespace mxcp::cli {

// For the transports of HTTP. Errors: kUsage.
Result<HttpServing> http_options(const Context& context, const project::Project& project, bool sse);

// Others reach the server, and nobody said under which name.
void warn_about_hosts(const net::HttpOptions& options);
// Options of HTTP that were given, though they change nothing under stdio.
void warn_about_options_of_http(const Context& context);

// serve --print-config: prints what the client needs, instead of serving. Returns the exit status.
int print_config(const Context& context, const project::Project& project,
                 const std::string& transport);

}  // namespace mxcp::cli
