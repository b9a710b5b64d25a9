#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/json.h"
#include "base/text.h"
#include "cli/client_config.h"
#include "cli/context.h"
#include "cli/parts.h"

namespace mxcp::cli {
namespace {

constexpr std::array kFolders = {"tools",   "resources", "prompts", "evals", "python",
                                 "plugins", "sql",       "drift",   "audit", "data"};

constexpr std::string_view kHelloTool = R"(mxcp: 1
tool:
  name: hello_world
  description: Greets somebody by name
  annotations:
    title: Hello World
    readOnlyHint: true
    idempotentHint: true
  parameters:
    - name: name
      type: string
      description: Whom to greet
      examples: ["Ada", "Grace"]
      minLength: 1
  return:
    type: string
    description: The greeting
  source:
    file: ../sql/hello-world.sql
  tests:
    - name: greets_by_name
      description: The greeting holds the name
      arguments:
        - key: name
          value: Ada
      result: Hello, Ada!
)";

constexpr std::string_view kHelloSql =
    R"(-- $name is the tool's parameter; the single value of the single row is its result.
SELECT 'Hello, ' || $name || '!' AS greeting;
)";

// A name that YAML reads back as the same text.
std::string yaml_text(const std::string& text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted;
}

bool is_plain_name(const std::string& name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  if (name.empty() || !letter(name.front())) return false;
  for (const char c : name) {
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '-') return false;
  }
  for (const std::string_view word :
       {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}) {
    if (to_lower(name) == word) return false;
  }
  return true;
}

std::string yaml_name(const std::string& name) {
  return is_plain_name(name) ? name : yaml_text(name);
}

std::string shell_quoted(const std::string& text) {
  return "'" + replace_all(text, "'", "'\\''") + "'";
}

enum class Reply { kYes, kNo, kNone };  // kNone: nobody is there (end of input)

// Reads one line, byte by byte: what follows belongs to the next question.
Reply ask(const std::string& question, Output& output) {
  output.err.write(question + " [y/N] ");
  std::string answer;
  while (true) {
    char c = 0;
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      output.err.line("");
      if (answer.empty()) return Reply::kNone;
      break;
    }
    if (c == '\n') break;
    answer += c;
  }
  const std::string word = to_lower(trim(answer));
  return word == "y" || word == "yes" ? Reply::kYes : Reply::kNo;
}

struct Plan {
  fs::path folder;
  std::string project;
  std::string profile;
  bool bootstrap = false;
};

// The form that most clients understand.
std::string server_config(const Plan& plan, const std::string& program) {
  ClientEntry entry;
  entry.name = plan.project;
  entry.folder = plan.folder;
  entry.command = absolute_command(program);
  entry.command.insert(entry.command.end(), {"serve", "--transport", "stdio"});
  return client_config("claude-desktop", entry);
}

Result<Plan> plan_from(const CommandLine& line) {
  Plan plan;
  std::error_code failed;
  plan.folder = fs::absolute(line.value("FOLDER").value_or("."), failed).lexically_normal();
  if (!plan.folder.has_filename()) plan.folder = plan.folder.parent_path();
  if (fs::exists(plan.folder, failed)) plan.folder = fs::canonical(plan.folder, failed);
  plan.project = line.value("project").value_or(plan.folder.filename().string());
  plan.profile = line.value("profile").value_or(environment("MXCP_PROFILE"));
  if (plan.profile.empty()) plan.profile = "default";
  plan.bootstrap = line.has("bootstrap");
  if (trim(plan.project).empty()) {
    return Error{Code::kUsage, "the project needs a name", {}, "give one with --project NAME"};
  }
  MXCP_TRY(project::check_asked_profile(line.value("profile").value_or("")));
  return plan;
}

// Refuses what would be overwritten or nested.
Status check(const Plan& plan) {
  std::error_code failed;
  if (fs::exists(plan.folder, failed) && !fs::is_directory(plan.folder, failed)) {
    return Error{Code::kConfig, "'" + plan.folder.string() + "' is not a directory"};
  }
  if (const fs::path root = find_upwards(plan.folder, "mxcp-site.yml"); !root.empty()) {
    return Error{Code::kConfig,
                 root == plan.folder
                     ? "'" + root.string() + "' is a project already: it has an mxcp-site.yml"
                     : "'" + plan.folder.string() + "' lies inside another project ('" +
                           (root / "mxcp-site.yml").string() + "'); projects cannot be nested",
                 {},
                 "choose another folder"};
  }
  const std::string database = "db-" + plan.profile + ".duckdb";
  for (const fs::path& path : {plan.folder / database, plan.folder / "data" / database}) {
    if (fs::exists(path, failed)) {
      return Error{Code::kConfig,
                   "the database file '" + path.string() + "' exists already",
                   {},
                   "remove it, or choose another --profile"};
    }
  }
  return {};
}

// A project of this name in the user configuration is perhaps meant, perhaps not: its secrets would
// be the new one's.
Status confirm_name(const Plan& plan, Output& output) {
  const project::UserConfigResult user = project::load_user_config(plan.project, plan.profile);
  const Value* projects = user.config.raw.find("projects");
  if (projects == nullptr || projects->find(plan.project) == nullptr) return {};
  output.err.line("'" + plan.project + "' already has settings in " + user.config.file.string() +
                  "; the new project will use them.");
  switch (ask("Go on with this name?", output)) {
    case Reply::kYes: return {};
    case Reply::kNo:
      return Error{Code::kConfig, "nothing was created", {}, "choose a name with --project"};
    case Reply::kNone: break;
  }
  return Error{Code::kConfig,
               "nothing was created: nobody said whether the settings of '" + plan.project +
                   "' are meant for this project",
               {},
               "choose another name with --project, or answer: 'echo y | mxcp init'"};
}

Status write_files(const Plan& plan) {
  std::error_code failed;
  for (const char* folder : kFolders) {
    fs::create_directories(plan.folder / folder, failed);
    if (failed) {
      return Error{Code::kIo, "cannot create the folder '" + (plan.folder / folder).string() +
                                  "': " + failed.message()};
    }
  }
  MXCP_TRY(write_file(plan.folder / "mxcp-site.yml",
                      "mxcp: 1\nproject: " + yaml_name(plan.project) +
                          "\nprofile: " + yaml_name(plan.profile) + "\n"));
  if (plan.bootstrap) {
    MXCP_TRY(write_file(plan.folder / "tools" / "hello-world.yml", kHelloTool));
    MXCP_TRY(write_file(plan.folder / "sql" / "hello-world.sql", kHelloSql));
  }
  return {};
}

// Only a convenience: whatever opens the database first would create it, too.
void create_database(const Plan& plan, Output& output) {
  engine::DatabaseOptions options;
  options.path = plan.folder / "data" / ("db-" + plan.profile + ".duckdb");
  auto opened = engine::Database::open(std::move(options));
  if (opened.ok()) {
    (*opened)->close(Clock::system().now() + std::chrono::seconds(5));
  } else {
    output.err.line(output.err.yellow("Warning:") +
                    " the database was not created: " + opened.error().text());
  }
}

void print_next_steps(const Plan& plan, Output& output) {
  Stream& out = output.out;
  out.line(out.green("Created") + " project '" + plan.project + "' in " + plan.folder.string());
  out.line("\n" + out.bold("Next:"));
  std::error_code failed;
  if (plan.folder != fs::current_path(failed)) {
    const std::string folder = display_path(plan.folder, fs::current_path(failed));
    const bool plain = folder.find_first_of(" '\"$&;()*?<>|\\`") == std::string::npos;
    out.line("  cd " + (plain ? folder : shell_quoted(folder)));
  }
  if (plan.bootstrap) {
    out.line("  mxcp run tool hello_world --param name=Ada   # call the example tool");
    out.line("  mxcp test                                    # run its test");
  } else {
    out.line(
        "  # put a tool into tools/ ('mxcp init --bootstrap' in a new folder shows one), then:");
    out.line("  mxcp validate                                # check every endpoint");
  }
  out.line("  mxcp serve --transport stdio                 # serve the project to an MCP client");
}

int run(Context& context) {
  Output& output = context.output;
  const auto plan = plan_from(context.line);
  if (!plan.ok()) return context.fail(plan.error());
  if (const auto fine = check(*plan); !fine.ok()) return output.fail(fine.error());
  if (const auto meant = confirm_name(*plan, output); !meant.ok()) {
    return output.fail(meant.error());
  }
  // Asked before anything is written: who leaves at a question has no project yet.
  const bool for_clients = ask("Write server_config.json for Claude Desktop and other MCP clients?",
                               output) == Reply::kYes;
  if (const auto written = write_files(*plan); !written.ok()) return output.fail(written.error());
  create_database(*plan, output);
  if (for_clients) {
    const fs::path file = plan->folder / "server_config.json";
    if (const auto written = write_file(file, server_config(*plan, context.program));
        !written.ok()) {
      return output.fail(written.error());
    }
    output.out.line("Wrote " + file.string() + ": copy its 'mcpServers' entry into your client.");
  }
  print_next_steps(*plan, output);
  return 0;
}

}  // namespace

const Command& init_command() {
  static const Command command{
      .name = "init",
      .summary = "Create a new project",
      .details =
          "Writes mxcp-site.yml, the standard folders and an empty database. Asks whether to "
          "write server_config.json, with what an MCP client needs to start the server; without "
          "anybody to answer the answer is no. Asks as well when the user configuration already "
          "has "
          "settings for a project of this name, and then creates nothing without an answer.",
      .positionals = {{.name = "FOLDER",
                       .help = "Where (default: the current directory)",
                       .required = false,
                       .is_file = true}},
      .options = {{.name = "project",
                   .value = "NAME",
                   .help = "Name of the project (default: the folder's name)"},
                  {.name = "profile",
                   .value = "NAME",
                   .help = "Name of its profile (default: $MXCP_PROFILE, then 'default')"},
                  {.name = "bootstrap", .help = "With an example: the tool hello_world, in SQL"},
                  debug_option()},
      .examples = {{"A project with an example to play with", "mxcp init --bootstrap my-project"},
                   {"In the current directory, without questions", "mxcp init < /dev/null"},
                   {"With a name and profile of its own",
                    "mxcp init shop --project web-shop --profile dev"}},
      .run = run,
  };
  return command;
}

}  // namespace mxcp::cli
