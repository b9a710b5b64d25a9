#include "engine/instance.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/handle.h"
#include "engine/library.h"
#include "engine/scalar_function.h"
#include "engine/sql_error.h"
#include "engine/sql_text.h"
#include "engine/user_functions.h"

namespace mxcp::engine {
namespace {

// Runs SQL on a connection of its own; the error is DuckDB's.
std::optional<DuckError> run(const Api& api, c::Connection connection, const std::string& sql) {
  ResultHandle result(api);
  if (api.query(connection, sql.c_str(), result.out()) == c::kSuccess) return {};
  return parse_duckdb_error(api.result_error(result.get()));
}

// --- opening ------------------------------------------------------------------------------------

// The command line of a process, or "".
std::string command_of(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::replace(text.begin(), text.end(), '\0', ' ');
  return shorten(trim(text), 200);
}

Error locked_error(const std::string& path, const std::string& message) {
  constexpr std::string_view kPid = "(PID ";
  std::string holder = "another process";
  if (const std::size_t at = message.find(kPid); at != std::string::npos) {
    long pid = 0;
    const char* const begin = message.data() + at + kPid.size();
    std::from_chars(begin, message.data() + message.size(), pid);
    holder = "process " + std::to_string(pid);
    if (const std::string command = command_of(pid); !command.empty()) {
      holder += " (" + command + ")";
    }
  }
  return {Code::kDatabase,
          "the database " + path + " is in use by " + holder,
          {},
          "stop that process or close the database there; only read-only processes can share it",
          message};
}

bool says_locked(std::string_view message) {
  return message.find("Could not set lock") != message.npos ||
         message.find("Conflicting lock") != message.npos;
}

Error open_error(const fs::path& file, const char* text) {
  const std::string path = file.string();
  const DuckError parsed = parse_duckdb_error(text);
  const std::string& message = parsed.message;
  const auto says = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  const auto error = [&](const std::string& what, std::string hint) {
    return Error{
        Code::kDatabase, "the database " + path + " " + what, {}, std::move(hint), message};
  };
  if (says_locked(message)) return locked_error(path, message);
  if (says("not a valid DuckDB database file")) {
    return error("is not a DuckDB database", "duckdb.path must name a DuckDB file or a new one");
  }
  if (says("newer version of DuckDB")) {
    return error("was written by a newer version of DuckDB than the installed one",
                 "upgrade it with: pip install --upgrade duckdb");
  }
  if (says("older version of DuckDB") || says("version number")) {
    return error("was written by a version of DuckDB that the installed one cannot read",
                 "export it with that version (EXPORT DATABASE) and import it again");
  }
  if (says("Permission denied") || says("permission denied")) {
    return error("cannot be opened: permission denied",
                 "the file and its folder must be readable and writable, or set readonly: true");
  }
  return {Code::kDatabase, "cannot open the database " + path + ": " + message};
}

Status prepare_path(const DatabaseOptions& options) {
  const std::string path = options.path.string();
  std::error_code error;
  if (fs::is_directory(options.path, error)) {
    return Error{Code::kDatabase, "the database " + path + " is a folder, not a file"};
  }
  if (options.readonly) {
    if (fs::exists(options.path, error)) return {};
    return Error{Code::kDatabase,
                 "the database " + path + " does not exist, and read-only it is not created",
                 {},
                 "create it first, or " + (options.readonly_by.empty()
                                               ? "set readonly: false"
                                               : "take away " + options.readonly_by)};
  }
  const fs::path folder = options.path.parent_path();
  if (folder.empty() || fs::is_directory(folder, error)) return {};
  fs::create_directories(folder, error);
  if (!error) return {};
  return Error{Code::kDatabase, "cannot create the folder " + folder.string() +
                                    " of the database: " + error.message()};
}

// --- secrets ------------------------------------------------------------------------------------

void append_secret_value(std::string& sql, const Value& value) {
  if (const Object* object = value.as_object()) {
    sql += "MAP {";
    bool first = true;
    for (const auto& [key, item] : *object) {
      if (!first) sql += ", ";
      first = false;
      sql += quote_sql(key, '\'') + ": " + quote_sql(to_plain_text(item), '\'');
    }
    sql += '}';
  } else if (const Array* array = value.as_array()) {
    sql += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) sql += ", ";
      sql += quote_sql(to_plain_text((*array)[i]), '\'');
    }
    sql += ']';
  } else {
    sql += quote_sql(to_plain_text(value), '\'');
  }
}

// True when the text contains one of the secret's values.
bool reveals(const std::string& text, const Value& value) {
  if (const Object* object = value.as_object()) {
    return std::any_of(object->begin(), object->end(),
                       [&](const Object::Member& m) { return reveals(text, m.second); });
  }
  if (const Array* array = value.as_array()) {
    return std::any_of(array->begin(), array->end(),
                       [&](const Value& item) { return reveals(text, item); });
  }
  const std::string plain = to_plain_text(value);
  return plain.size() > 2 && text.find(plain) != std::string::npos;
}

// A secret that DuckDB does not know the type of is only for Python: skipped quietly. A secret of a
// known type that DuckDB refuses is worth a warning, never with its values.
void create_secret(const Api& api, c::Connection connection, const SecretOptions& secret) {
  std::string sql = "CREATE OR REPLACE TEMPORARY SECRET " + quote_sql(secret.name, '"') +
                    " (TYPE " + quote_sql(secret.type, '"');
  for (const auto& [key, value] : secret.parameters) {
    if (value.is_null()) continue;
    sql += ", " + quote_sql(key, '"') + ' ';
    append_secret_value(sql, value);
  }
  sql += ')';
  const std::optional<DuckError> error = run(api, connection, sql);
  if (!error) return;
  const bool unknown_type = error->message.starts_with("Secret type ");
  if (unknown_type) {
    log::debug("engine", "secret '{}' is not created in DuckDB: it has no secrets of type '{}'",
               secret.name, secret.type);
    return;
  }
  const bool safe = !reveals(error->message, Value(secret.parameters));
  log::warning("engine", "DuckDB does not take the secret '{}' of type '{}': {}", secret.name,
               secret.type, safe ? error->message : "a value does not fit");
}

// --- extensions ---------------------------------------------------------------------------------

Status load_extension(const Api& api, c::Connection connection, const ExtensionOptions& extension) {
  const std::string load = "LOAD " + quote_sql(extension.name, '\'');
  if (!run(api, connection, load)) return {};
  std::string install = "INSTALL " + quote_sql(extension.name, '\'');
  if (!extension.repo.empty()) install += " FROM " + quote_sql(extension.repo, '"');
  std::optional<DuckError> error = run(api, connection, install);
  if (!error) error = run(api, connection, load);
  if (!error) return {};
  return Error{Code::kDatabase,
               "cannot load the DuckDB extension '" + extension.name + "': " + error->text(),
               {},
               "extensions are listed under 'extensions' in mxcp-site.yml"};
}

}  // namespace

std::optional<Instance::Identity> Instance::identify(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return Identity{static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino)};
}

Result<std::unique_ptr<Instance>> Instance::open(const DatabaseOptions& options) {
  MXCP_TRY(const Api* api, Library::load(library_search_path()));
  std::unique_ptr<Instance> instance(new Instance(*api));
  MXCP_TRY(prepare_path(options));
  MXCP_TRY(instance->open_free_file(options));
  MXCP_TRY(instance->set_up(options));
  return instance;
}

Status Instance::open_free_file(const DatabaseOptions& options) {
  constexpr std::chrono::milliseconds kTryEvery{50};
  const Instant deadline = Clock::system().now() + options.wait_for_file;
  for (bool told = false;; told = true) {
    Status opened = open_file(options);
    if (opened.ok() || !says_locked(opened.error().detail) || Clock::system().now() >= deadline ||
        (options.give_up && options.give_up())) {
      return opened;
    }
    if (!told) {
      log::warning("engine", "{}: it is waited for, up to {} s", opened.error().message,
                   std::chrono::duration<double>(options.wait_for_file).count());
    }
    std::this_thread::sleep_for(kTryEvery);
  }
}

Status Instance::open_file(const DatabaseOptions& options) {
  ConfigHandle config(api_);
  if (api_.create_config(config.out()) != c::kSuccess) {
    return Error{Code::kDatabase, "DuckDB cannot make a configuration"};
  }
  if (options.readonly) {
    api_.set_config(config.get(), "access_mode", "READ_ONLY");
    readonly_by_ = options.readonly_by.empty() ? "its options" : options.readonly_by;
  }
  if (options.threads > 0) {
    api_.set_config(config.get(), "threads", std::to_string(options.threads).c_str());
  }
  // DuckDB takes a list, in which nothing quotes a comma.
  if (const std::string files = options.files.string();
      !files.empty() && files.find(',') == std::string::npos &&
      api_.set_config(config.get(), "file_search_path", files.c_str()) != c::kSuccess) {
    search_path_ = files;
  }
  // Known to the whole instance since 1.5, as the path is; before that settings of each connection.
  json_errors_ = api_.set_config(config.get(), "errors_as_json", "true") == c::kSuccess;

  char* reason = nullptr;
  const c::State state = api_.open_ext(options.path.c_str(), &database_, config.get(), &reason);
  if (state != c::kSuccess) {
    database_ = nullptr;
    const Error error = open_error(options.path, reason);
    api_.free(reason);
    return error;
  }
  identity_ = identify(options.path);
  return {};
}

Status Instance::set_up(const DatabaseOptions& options) {
  MXCP_TRY(c::Connection connection, connect());
  Status status = register_user_functions(*this, connection);
  for (const SecretOptions& secret : options.secrets) create_secret(api_, connection, secret);
  for (const ExtensionOptions& extension : options.extensions) {
    if (status.ok()) status = load_extension(api_, connection, extension);
  }
  api_.disconnect(&connection);
  return status;
}

Instance::~Instance() {
  if (database_ != nullptr) api_.close(&database_);
}

Result<c::Connection> Instance::connect() {
  c::Connection connection = nullptr;
  if (api_.connect(database_, &connection) != c::kSuccess) {
    return Error{Code::kDatabase, "DuckDB refuses a further connection to the database"};
  }
  if (!json_errors_) run(api_, connection, "SET errors_as_json=true");
  if (!search_path_.empty()) {
    run(api_, connection, "SET file_search_path=" + quote_sql(search_path_, '\''));
  }
  return connection;
}

Status Instance::add_functions(const ScalarFunctions& functions) {
  MXCP_TRY(c::Connection connection, connect());
  Status status = add_functions(connection, functions);
  api_.disconnect(&connection);
  next_generation();
  return status;
}

Status Instance::add_functions(c::Connection connection, const ScalarFunctions& functions) {
  if (functions.empty()) return {};
  std::string names;
  for (const auto& function : functions) {
    names += (names.empty() ? "" : ", ") + quote_sql(to_lower(function->name()), '\'');
  }
  // DuckDB would add a further overload to a function that it has.
  ResultHandle known(api_);
  const std::string sql =
      "SELECT function_name FROM duckdb_functions() WHERE lower(function_name) IN (" + names + ")";
  if (api_.query(connection, sql.c_str(), known.out()) == c::kSuccess) {
    const ChunkHandle chunk(api_, api_.fetch_chunk(*known.get()));
    if (chunk && api_.data_chunk_get_size(chunk.get()) > 0) {
      const auto* const texts = static_cast<const c::String*>(
          api_.vector_get_data(api_.data_chunk_get_vector(chunk.get(), 0)));
      return Error{Code::kConfig,
                   "there is already a SQL function " + std::string(texts[0].view()),
                   {},
                   "rename the method or the plugin"};
    }
  }
  std::map<std::string, ScalarFunctions> by_name;
  for (const auto& function : functions) by_name[function->name()].push_back(function);
  for (const auto& [name, forms] : by_name) {
    MXCP_TRY(register_scalar_functions(*this, connection, forms));
  }
  return {};
}

Connection* Instance::find(c::Index connection_id) {
  const std::lock_guard lock(mutex_);
  const auto it = connections_.find(connection_id);
  return it == connections_.end() ? nullptr : it->second;
}

void Instance::enter(c::Index connection_id, Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_[connection_id] = connection;
}

void Instance::leave(c::Index connection_id) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection_id);
}

}  // namespace mxcp::engine
