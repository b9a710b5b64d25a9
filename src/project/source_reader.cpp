#include "project/source_reader.h"

#include <algorithm>

#include "base/text.h"

namespace mxcp::project {
namespace {

const Keys kSourceKeys = {"code", "file", "language"};
const Advice kSourceAdvice = {
    {"path", "did you mean 'file'?"},
    {"sql", "did you mean 'code'?"},
    {"query", "did you mean 'code'?"},
    {"function", "the function is named like the endpoint"},
};
const Keys kLanguages = {"sql", "python"};

// Statements without comments; enough to tell whether there is anything to run.
bool has_sql(std::string_view text) {
  while (true) {
    const auto at = text.find_first_not_of(" \t\r\n;");
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at);
    std::string_view end;
    if (text.substr(0, 2) == "--") {
      end = "\n";
    } else if (text.substr(0, 2) == "/*") {
      end = "*/";
    } else {
      return true;
    }
    const auto close = text.find(end, 2);
    if (close == std::string_view::npos) return false;
    text.remove_prefix(close + end.size());
  }
}

class SourceReader {
 public:
  SourceReader(Problems& problems, Fields& endpoint, const SourceContext& context, Source& source)
      : problems_(problems), endpoint_(endpoint), context_(context), source_(source) {}

  void read(Language& language) {
    const auto outer = endpoint_.choice("language", kLanguages);
    const YamlNode* node = endpoint_.find("source");
    if (!node) {
      if (endpoint_.is_mapping()) {
        endpoint_.missing("source",
                          "give the SQL under 'source: code: |', or a file under "
                          "'source: file: ...'");
      }
      return;
    }
    source_.place = problems_.place(*node);
    const Problems::Rule rule(problems_, rules::kSource);
    if (is_text(*node)) {
      const bool file = node->scalar.find_first_of(" \n") == std::string::npos;
      endpoint_.wrong(
          "source", "a mapping with 'code' or 'file'",
          file ? "write 'file: " + shorten(node->scalar, 60) + "' on the next line, indented"
               : "write 'code: |' on the next line, and the text under it");
      return;
    }
    Fields fields(problems_, *node, "the source", endpoint_.key_place("source"), kSourceKeys,
                  kSourceAdvice);
    if (!fields.is_mapping()) return;
    const auto inner = fields.choice("language", kLanguages);
    const auto code = fields.text("code");
    const auto file = fields.text("file");
    const bool given = fields.find("code") || fields.find("file");
    if (code && file) {
      problems_.error(fields.key_place("file"), "a source has either 'code' or 'file', not both",
                      "remove one of them");
      return;
    }
    if (!given) {
      if (fields.was_suggested("code") || fields.was_suggested("file")) return;
      const bool bare = fields.has("code") || fields.has("file");
      problems_.error(fields.owner(),
                      bare ? "the source is empty" : "the source has neither 'code' nor 'file'",
                      "give the SQL under 'code: |', or a path under 'file:'");
      return;
    }
    if (!code && !file) return;  // of a wrong type, and reported

    language = Language::kSql;
    if (outer || inner) {
      language = outer.value_or(inner.value_or(0)) == 1 ? Language::kPython : Language::kSql;
      if (outer && inner && *outer != *inner) {
        problems_.warning(fields.place_of("language"),
                          "'language' differs from the language of the endpoint, which counts",
                          "remove one of them");
      }
    } else if (file && file->ends_with(".py")) {
      language = Language::kPython;
    }
    if (code) {
      read_code(fields, *code, language);
    } else {
      read_file(fields, *file, language, outer.has_value() || inner.has_value());
    }
  }

 private:
  void read_code(Fields& fields, const std::string& code, Language language) {
    const YamlNode& node = *fields.find("code");
    source_.place = problems_.place(node);
    source_.text = code;
    source_.display_file = context_.display_file;
    source_.map = node.map;
    if (trim(code).empty()) {
      problems_.error(fields.key_place("code"), "'code' is empty", {}, rules::kMissingKey);
    } else if (language == Language::kSql && !has_sql(code)) {
      problems_.error(source_.place, "'code' holds no SQL statement, only comments", {},
                      rules::kSqlEmpty);
    }
  }

  void read_file(Fields& fields, const std::string& name, Language language,
                 bool explicit_language) {
    source_.place = fields.place_of("file");
    source_.is_file = true;
    if (trim(name).empty()) {
      problems_.error(source_.place, "'file' is empty", "give a path relative to this file");
      return;
    }
    const bool from_root = name.front() == '/';
    source_.path = from_root ? (context_.root / name.substr(1)).lexically_normal()
                             : (context_.yaml.parent_path() / name).lexically_normal();
    source_.display_file = display_path(source_.path, context_.root);
    std::error_code failure;
    const fs::file_status status = fs::status(source_.path, failure);
    if (!fs::exists(status)) return report_missing(name);
    if (fs::is_directory(status)) {
      problems_.error(source_.place, "'" + shorten(name, 80) + "' is a folder, not a file");
      return;
    }
    const bool python_file = name.ends_with(".py");
    if (explicit_language &&
        (language == Language::kPython ? name.ends_with(".sql") : python_file)) {
      problems_.error(source_.place,
                      std::string("the language is ") + (python_file ? "sql" : "python") +
                          ", but '" + shorten(name, 80) + "' is " +
                          (python_file ? "a Python file" : "an SQL file"),
                      python_file ? "write 'language: python'" : "write 'language: sql'");
      return;
    }
    if (language == Language::kSql) read_sql();
  }

  void read_sql() {
    auto text = mxcp::read_file(source_.path);
    if (!text.ok()) {
      problems_.error(source_.place, text.error().message);
      return;
    }
    source_.text = *std::move(text);
    if (source_.text.compare(0, 3, "\xEF\xBB\xBF") == 0) source_.text.erase(0, 3);
    if (!is_valid_utf8(source_.text)) {
      problems_.error(source_.place, "'" + source_.display_file + "' is not valid UTF-8",
                      "save it with the encoding UTF-8");
    } else if (!has_sql(source_.text)) {
      problems_.error(
          source_.place,
          "'" + source_.display_file + "' " +
              (trim(source_.text).empty() ? "is empty" : "holds no SQL statement, only comments"),
          {}, rules::kSqlEmpty);
    }
  }

  void report_missing(const std::string& name) {
    std::string message = "the file '" + shorten(name, 100) + "' does not exist";
    if (source_.display_file != name) message += ", looked for '" + source_.display_file + "'";
    problems_.error(source_.place, std::move(message), missing_hint(name), rules::kSourceMissing);
  }

  std::string missing_hint(const std::string& name) const {
    std::error_code failure;
    const bool from_root = name.front() == '/';
    // Paths are relative to the YAML file; many write them relative to the root.
    const fs::path in_root = (context_.root / fs::path(name).relative_path()).lexically_normal();
    if (!from_root && fs::is_regular_file(in_root, failure)) {
      return "paths are relative to this file: write '" +
             in_root.lexically_relative(context_.yaml.parent_path()).generic_string() + "'";
    }
    if (from_root && fs::is_regular_file(name, failure)) {
      return "a leading '/' means the root of the project";
    }
    const fs::path folder = source_.path.parent_path();
    if (!fs::is_directory(folder, failure)) {
      return "there is no folder '" + display_path(folder, context_.root) + "'";
    }
    std::vector<std::string> names;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      names.push_back(entry->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    // The same name with another ending, else the nearest name; spelt as it has to be written.
    const auto same_stem = std::find_if(names.begin(), names.end(), [&](const std::string& other) {
      return fs::path(other).stem() == source_.path.stem();
    });
    const std::string begin = name.substr(0, name.rfind('/') + 1);
    if (same_stem != names.end()) return "did you mean '" + begin + *same_stem + "'?";
    std::string hint = suggest(source_.path.filename().string(), names);
    if (!hint.empty()) hint.insert(hint.find('\'') + 1, begin);
    return hint;
  }

  Problems& problems_;
  Fields& endpoint_;
  const SourceContext& context_;
  Source& source_;
};

}  // namespace

void read_source(Problems& problems, Fields& endpoint, const SourceContext& context,
                 Language& language, Source& source) {
  SourceReader(problems, endpoint, context, source).read(language);
}

}  // namespace mxcp::project
