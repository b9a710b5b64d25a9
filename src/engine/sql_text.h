// What can be seen in SQL text without DuckDB: where its statements begin, their first words, and
// the named parameters. DuckDB does all real parsing; this knows only its tokens (quotes, dollar
// quotes, comments), for the few questions that its C API does not answer.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxcp::engine {

struct SqlPiece {
  std::size_t begin = 0;           // the first token
  std::size_t end = 0;             // behind the last token, before the semicolon
  std::vector<std::string> words;  // the first keywords, upper case, up to five
  // A word that may change something stands in it: INSERT, COPY, nextval ... see only_reads.
  bool may_write = false;
  // It calls setseed(), after which random() and uuid() of the connection can be foreseen.
  bool sets_seed = false;
  // $name, in order of appearance, each once, whatever its case: DuckDB makes no difference.
  std::vector<std::string> parameters;
  // Every place of a parameter: $name, $1, ?.
  struct Place {
    std::string name;  // "" for ?
    std::size_t begin, end;
    bool again;  // it was there before
  };
  std::vector<Place> places;

  bool repeats_parameter() const;
};

// A text that is run in place of a source, and how to get back from a byte in it to the source's.
struct RunText {
  std::string text;
  std::ptrdiff_t shift = 0;  // how many bytes later everything stands
  struct Insertion {
    std::size_t at;  // in `text`
    std::size_t size;
  };
  std::vector<Insertion> insertions;

  std::ptrdiff_t source_position(std::size_t position) const;
};

// One entry per statement; empty ones (";;", only comments) are left out.
std::vector<SqlPiece> split_sql(std::string_view sql);

// The places of the parameters of all statements, in order.
std::vector<SqlPiece::Place> parameter_places(std::string_view sql);

// The names of the parameters of all statements, each once.
std::vector<std::string> parameter_names(const std::vector<SqlPiece>& pieces);

// The statement with a number behind the name of every repeated parameter, so that DuckDB takes
// each place for a parameter of its own: $x, $x__mxcp_place1. Positional ones become names for
// that: $mxcp_number__1, $mxcp_number__1__mxcp_place1.
RunText with_distinct_parameters(std::string_view sql, const SqlPiece& piece);
// The way back. `name` is that of a parameter; a text of DuckDB may have several.
std::string plain_parameter_name(std::string_view name);
std::string with_plain_parameters(std::string_view text);

// The statement alone.
RunText as_it_stands(std::string_view sql, const SqlPiece& piece);

// The statement with ($name::TYPE) for every $name that has a type.
RunText with_typed_parameters(std::string_view sql, const SqlPiece& piece,
                              const std::vector<std::pair<std::string, std::string>>& types);

// The names in a text, lower case: words and what stands between double quotes, keywords included;
// and those of them that a parenthesis follows, as it follows the name of a function.
struct TextNames {
  std::set<std::string> all, called;
};
TextNames names_in(std::string_view sql);

// True when every statement is a query (SELECT, FROM, WITH, VALUES, SHOW ...) that names nothing
// which could change the database or a file, by its words alone: a column named "delete" makes it
// false, a function of an extension or of the user that changes things is not seen.
bool only_reads(std::string_view sql);

// CREATE [OR REPLACE] TEMP|TEMPORARY ...
bool creates_temporary(const SqlPiece& piece);

// The text between quotes, quotes inside it doubled: 'it''s', "a ""b""".
std::string quote_sql(std::string_view text, char quote);

// The line and column (in characters) of a byte offset, from 1.
struct LineColumn {
  int line = 1;
  int column = 1;
};
LineColumn line_column(std::string_view text, std::size_t offset);

}  // namespace mxcp::engine
