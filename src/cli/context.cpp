#include "cli/context.h"

#include "base/log.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/parts.h"

namespace mxcp::cli {
namespace {

log::Level level_from(const std::string& name) {
  if (name == "DEBUG") return log::Level::kDebug;
  if (name == "INFO") return log::Level::kInfo;
  if (name == "ERROR" || name == "CRITICAL") return log::Level::kError;
  return log::Level::kWarning;
}

void configure_log(const project::Project& project, bool debug) {
  const project::LoggingConfig& logging = project.user().logging;
  if (!debug) log::set_level(logging.enabled ? level_from(logging.level) : log::Level::kOff);
  if (!logging.enabled || logging.path.empty()) return;
  const fs::path path = project.root() / expand_home(logging.path);
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);  // add_file reports what is wrong with it
  log::add_file(path.string(), static_cast<std::size_t>(logging.max_bytes),
                static_cast<std::size_t>(logging.backup_count));
}

}  // namespace

project::LoadOptions Context::load_options() const {
  project::LoadOptions options;
  options.profile = line.value("profile").value_or("");
  options.stores = secret_stores();
  options.readonly = line.has("readonly");
  if (&command == &serve_command()) {
    options.sql_tools = std::nullopt;
    if (const auto flag = line.value("sql-tools")) options.sql_tools = *flag == "true";
  }
  return options;
}

runtime::RuntimeOptions Context::runtime_options() const {
  runtime::RuntimeOptions options;
  options.load = load_options();
  return options;
}

Result<std::shared_ptr<const project::Project>> Context::load_project(bool log_skipped) const {
  MXCP_TRY(auto project, project::Project::load(load_options()));
  configure_log(*project, output.debug);
  for (const Error& warning : project->warnings()) log::warning("project", "{}", warning.text());
  if (!log_skipped) return project;
  for (const auto& skipped : project->skipped()) {
    if (skipped.why) log::warning("project", "{}", skipped.why->text());
  }
  return project;
}

int Context::fail(const Error& error) const {
  if (error.code != Code::kUsage) return output.fail(error);
  return output.fail_usage(usage_line(command), error);
}

}  // namespace mxcp::cli
