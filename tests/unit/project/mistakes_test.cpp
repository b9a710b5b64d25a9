// What newcomers get wrong in endpoint files, and what they are told: place, text and hint.
#include <doctest/doctest.h>

#include "project/endpoint.h"
#include "support/temp_project.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

struct Mistake {
  const char* path;
  const char* yaml;
  const char* errors;  // one per line
  const char* warnings = "";
};

const Mistake kMistakes[] = {
    {"tools/a.yml",
     R"(mxcp: 1
tool:
  name: a
  parameters:
    - name: user_id
      type: integer
      requried: true
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:7:7: unknown key 'requried' in a parameter (did you mean 'required'?)
)"},
    {"tools/a.yml",
     R"(mxcp: 1
tool:
  name: a
  parameters:
    - name: user-id
      type: strng
    - name: user-id
      type: str
    - name: when
      type: date
    - type: string
    - name: x
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:5:13: 'user-id' is no name for a parameter: letters, digits and _ only, and no digit first (for example 'user_id')
tools/a.yml:6:13: unknown type 'strng' (did you mean 'string'?)
tools/a.yml:7:13: 'user-id' is no name for a parameter: letters, digits and _ only, and no digit first (for example 'user_id')
tools/a.yml:7:13: the parameter 'user-id' is declared twice; the first time on line 5 (remove or rename one of them)
tools/a.yml:8:13: unknown type 'str' (write 'type: string')
tools/a.yml:10:13: unknown type 'date' (write 'type: string' and 'format: date')
tools/a.yml:11:7: 'name' is missing in a parameter
tools/a.yml:12:7: 'type' is missing in a parameter (a type is one of string, number, integer, boolean, array, object)
)"},
    {"tools/a.yml",
     R"(mxcp: 2
tool:
  name: a
  descripton: x
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:1:7: 'mxcp' must be 1, the version of the format, found the number 2
tools/a.yml:4:3: unknown key 'descripton' in the tool (did you mean 'description'?)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {code: SELECT 1, file: x.sql}
)",
     R"(tools/a.yml:3:28: a source has either 'code' or 'file', not both (remove one of them)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {}
)",
     R"(tools/a.yml:3:3: the source has neither 'code' nor 'file' (give the SQL under 'code: |', or a path under 'file:')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
)",
     R"(tools/a.yml:1:1: 'source' is missing in the tool (give the SQL under 'source: code: |', or a file under 'source: file: ...')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source:
    file: ../sql/get_usr.sql
)",
     R"(tools/a.yml:4:11: the file '../sql/get_usr.sql' does not exist, looked for 'sql/get_usr.sql' (did you mean '../sql/get_user.sql'?)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source:
    file: sql/get_user.sql
)",
     R"(tools/a.yml:4:11: the file 'sql/get_user.sql' does not exist, looked for 'tools/sql/get_user.sql' (paths are relative to this file: write '../sql/get_user.sql')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source:
    file: /sqll/get_user.sql
)",
     R"(tools/a.yml:4:11: the file '/sqll/get_user.sql' does not exist, looked for 'sqll/get_user.sql' (there is no folder 'sqll')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: ../sql/get_user.sql
)",
     R"(tools/a.yml:3:11: 'source' must be a mapping with 'code' or 'file', found the string '../sql/get_user.sql' (write 'file: ../sql/get_user.sql' on the next line, indented)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: SELECT 1
)",
     R"(tools/a.yml:3:11: 'source' must be a mapping with 'code' or 'file', found the string 'SELECT 1' (write 'code: |' on the next line, and the text under it)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {file: ../sql/empty.sql}
)",
     R"(tools/a.yml:3:18: 'sql/empty.sql' is empty
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source:
    code: |
      -- nothing here
      /* nor here */ ;
)",
     R"(tools/a.yml:4:11: 'code' holds no SQL statement, only comments
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  language: javascript
  source: {code: "1"}
)",
     R"(tools/a.yml:3:13: 'language' must be 'sql' or 'python', found the string 'javascript'
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  language: sql
  source: {file: ../python/code.py}
)",
     R"(tools/a.yml:4:18: the language is sql, but '../python/code.py' is a Python file (write 'language: python')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  enabled: yes
  tags: reporting
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:3:12: 'enabled' must be true or false, found the string 'yes' (write true; yes, no, on and off are plain words in YAML 1.2)
tools/a.yml:4:9: 'tags' must be a list of strings, found the string 'reporting' (write [reporting])
)"},
    {"tools/a.yml",
     R"(tool:
  name: 42
  description: [x]
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:2:9: 'name' must be a string, found the number 42 (put it in quotes: "42")
tools/a.yml:3:16: 'description' must be a string, found a list
)"},
    {"tools/a.yml",
     R"(name: a
source: {code: SELECT 1}
)",
     R"(tools/a.yml:1:1: the keys of an endpoint stand here without 'tool:' above them (write 'tool:' on a line before and indent them under it)
)"},
    {"tools/a.yml",
     R"(tools:
  - name: a
)",
     R"(tools/a.yml:1:1: unknown key 'tools' in an endpoint file (one file holds one endpoint, under 'tool:')
)"},
    {"tools/a.yml", "",
     R"(tools/a.yml: the file is empty (begin it with 'mxcp: 1' and 'tool:', 'resource:' or 'prompt:')
)"},
    {"tools/a.yml",
     R"(- a
- b
)",
     R"(tools/a.yml:1:1: an endpoint file must be a mapping with the key 'tool', 'resource' or 'prompt', found a list
)"},
    {"tools/a.yml",
     R"(mxcp: 1
tool:
name: a
source: {code: SELECT 1}
)",
     R"(tools/a.yml:2:1: 'tool' has no value (indent its keys under it)
)"},
    {"tools/a.yml",
     R"(tool: {name: a, source: {code: SELECT 1}}
resource: {uri: a://b, source: {code: SELECT 1}}
)",
     R"(tools/a.yml:2:1: a file holds one endpoint, but 'tool' on line 1 is there already (move one of them to a file of its own)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  parameters:
    id: {type: integer}
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:4:5: 'parameters' must be a list, found a mapping (write '- name: id' and under it its keys)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  parameters:
    - id
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:4:7: a parameter must be a mapping of keys to values, found the string 'id' (write '- name: id' and a 'type')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  return: object
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:3:11: 'return' must be a mapping with a 'type', found the string 'object' (write {type: object})
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  return:
    type: object
    properties:
      id: integer
      name:
      tags: {type: array, items: string}
    required: true
    additionalProperties: {type: string}
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:6:11: property 'id' must be a mapping with a 'type', found the string 'integer' (write {type: integer})
tools/a.yml:7:7: property 'name' has no type (write {type: ...} after it)
tools/a.yml:8:34: the type of the items must be a mapping with a 'type', found the string 'string' (write {type: string})
tools/a.yml:9:15: 'required' must be a list of property names, found true (a parameter is required unless it has a 'default'; an object lists its required properties)
tools/a.yml:10:27: 'additionalProperties' must be true or false, found a mapping (a type for further properties is not supported)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  parameters:
    - name: p
      type: [string, "null"]
    - name: q
      type: string
      minLength: "5"
      maxLength: -1
      enum: a
      nullable: true
      format: datetime
      pattern: 5
    - name: r
      type: integer
      minimum: "1"
      maximum: 5.5.5
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:5:13: 'type' must be one type, found a list (null is accepted for every type)
tools/a.yml:8:18: 'minLength' must be a whole number, found the string '5' (remove the quotes)
tools/a.yml:9:18: 'maxLength' must be at least 0, found the number -1
tools/a.yml:10:13: 'enum' must be a list of values, found the string 'a' (write [a])
tools/a.yml:11:7: unknown key 'nullable' in a parameter (null is accepted for every type)
tools/a.yml:12:15: unknown format 'datetime' (did you mean 'date-time'?)
tools/a.yml:13:16: 'pattern' must be a string, found the number 5 (put it in quotes: "5")
tools/a.yml:16:16: 'minimum' must be a number, found the string '1' (remove the quotes)
tools/a.yml:17:16: 'maximum' must be a number, found the string '5.5.5'
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {code: SELECT 1}
  tests:
    - arguments: []
    - name: t
    - name: u
      arguments: {id: 1}
    - name: v
      arguments:
        - name: id
          value: 1
        - key: id
      result_lenght: 3
      result_length: -1
      user_context: admin
    - name: w
      arguments: [{key: x, value: 1}, {key: x, value: 2}]
      error_contains: no
      result: 1
)",
     R"(tools/a.yml:5:7: 'name' is missing in a test
tools/a.yml:6:7: 'arguments' is missing in a test (write 'arguments: []' when there are none)
tools/a.yml:8:18: 'arguments' must be a list, found a mapping (write '- key: id' and under it 'value: ...' for each argument)
tools/a.yml:11:11: unknown key 'name' in an argument (did you mean 'key'?)
tools/a.yml:13:11: 'value' is missing in an argument
tools/a.yml:14:7: unknown key 'result_lenght' in a test (did you mean 'result_length'?)
tools/a.yml:15:22: 'result_length' must be at least 0, found the number -1
tools/a.yml:16:21: 'user_context' must be a mapping of keys to values, found the string 'admin'
tools/a.yml:18:45: the argument 'x' is given twice in one test
tools/a.yml:20:7: a test with 'error_contains' expects no result, but 'result' is given too (remove one of them)
)",
     R"(tools/a.yml:9:7: the test 'v' gives the argument 'id', which is no parameter
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {code: SELECT 1}
  annotations:
    readOnly: true
    destructiveHint: "no"
    title: 5
)",
     R"(tools/a.yml:5:5: unknown key 'readOnly' in the annotations (did you mean 'readOnlyHint'?)
tools/a.yml:6:22: 'destructiveHint' must be true or false, found the string 'no' (write false without quotes)
tools/a.yml:7:12: 'title' must be a string, found the number 5 (put it in quotes: "5")
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {code: SELECT 1}
  policies:
    input:
      - condition: user.role == 'guest'
        action: denied
      - action: deny
      - condition: "true"
        action: mask_fields
    output:
      - condition: "true"
        action: filter_fields
    ouput: []
)",
     R"(tools/a.yml:7:17: 'action' must be one of 'deny', 'filter_fields', 'mask_fields' or 'filter_sensitive_fields', found the string 'denied' (did you mean 'deny'?)
tools/a.yml:8:9: 'condition' is missing in a policy rule (a condition is a CEL expression)
tools/a.yml:9:9: 'fields' is missing in a policy rule (list the names of the fields to mask)
tools/a.yml:12:9: 'fields' is missing in a policy rule (list the names of the fields to remove)
tools/a.yml:14:5: unknown key 'ouput' in the policies (did you mean 'output'?)
)",
     R"(tools/a.yml:10:17: the action 'mask_fields' does nothing in an input policy (only 'deny' acts on input)
)"},
    {"resources/a.yml",
     R"(resource:
  uri: users://{id}/{other}
  parameters:
    - {name: id, type: integer}
    - {name: ide, type: integer}
  source: {code: SELECT 1}
  mime_type: json
)",
     R"(resources/a.yml:2:8: the placeholder '{other}' of the URI is not declared (add '- name: other' with its type to 'parameters:')
resources/a.yml:5:7: the parameter 'ide' is no placeholder of the URI 'users://{id}/{other}' (did you mean 'id'?)
resources/a.yml:7:14: 'json' is no MIME type (for example 'application/json' or 'text/plain')
)"},
    {"resources/a.yml",
     R"(resource:
  uri: users
  source: {code: SELECT 1}
)",
     R"(resources/a.yml:2:8: 'users' is no URI: it needs a scheme and a path (for example 'data://users')
)"},
    {"resources/a.yml",
     R"(resource:
  uri: users://{id
  parameters: [{name: id, type: integer}]
  source: {code: SELECT 1}
)",
     R"(resources/a.yml:2:8: the URI has a '{' that is never closed
)"},
    {"resources/a.yml",
     R"(resource:
  uri: users://{id}{?page}
  parameters: [{name: id, type: integer}, {name: page, type: integer}]
  source: {code: SELECT 1}
)",
     R"(resources/a.yml:2:8: the placeholder '{?page}' of the URI is no name (only the name of a parameter stands between the braces)
)"},
    {"prompts/a.yml",
     R"(prompt:
  name: p
)",
     R"(prompts/a.yml:1:1: 'messages' is missing in the prompt (a prompt needs at least one '- prompt: ...' under 'messages:', or a Python function under 'source:')
)"},
    {"prompts/a.yml",
     R"(prompt:
  name: p
  messages: []
)",
     R"(prompts/a.yml:3:13: a prompt needs at least one message (write '- prompt: ...' under 'messages:')
)"},
    {"prompts/a.yml",
     R"(prompt:
  name: p
  messages:
    - role: usr
      content: hi
    - prompt: 5
)",
     R"(prompts/a.yml:4:13: 'role' must be one of 'user', 'assistant' or 'system', found the string 'usr' (did you mean 'user'?)
prompts/a.yml:5:7: unknown key 'content' in a message (did you mean 'prompt'?)
prompts/a.yml:6:15: 'prompt' must be a string, found the number 5 (put it in quotes: "5")
)"},
    {"prompts/a.yml",
     R"(prompt:
  name: p
  source: {code: x}
  messages:
    - prompt: hi
)",
     R"(prompts/a.yml:3:3: 'messages' and 'source' both say what the prompt is (remove one of them)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  code: SELECT 1
  params: []
  returns: {type: string}
)",
     R"(tools/a.yml:3:3: unknown key 'code' in the tool (write it under 'source:')
tools/a.yml:4:3: unknown key 'params' in the tool (did you mean 'parameters'?)
tools/a.yml:5:3: unknown key 'returns' in the tool (did you mean 'return'?)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source: {code: SELECT 1}
  metadata: {x: 1}
metadata: [1]
)",
     R"(tools/a.yml:4:3: unknown key 'metadata' in the tool (write it at the top of the file, beside 'mxcp:')
tools/a.yml:5:11: 'metadata' must be a mapping of keys to values, found a list
)"},
    {"tools/a.yml",
     R"(tool:
  name: a: b
)",
     R"(tools/a.yml:2:10: a value that contains ': ' must be in quotes (write "a: b")
)"},
    {"tools/a.yml",
     R"(tool:
	name: a
)",
     R"(tools/a.yml:2:1: a tab is used to indent; YAML allows only spaces (replace it by spaces)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  source:
    code: |
      SELECT 1
     FROM t
)",
     R"(tools/a.yml:6:6: this line is indented less than the first line of its text block (give all lines of the block at least the indentation of the first)
)"},
    {"tools/a.yml",
     R"(tool:
  name: "a
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:2:9: the text that begins with " here is never closed (add " at its end)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  name: b
  source: {code: SELECT 1}
)",
     R"(tools/a.yml:3:3: the key 'name' appears twice; it is already on line 2 (remove or rename one of them)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  description: @home
)",
     R"(tools/a.yml:3:16: a value cannot begin with '@' (write "@home")
)"},
    {"tools/a.yml",
     R"(tool:
  name: get users!
  source: {code: SELECT 1}
)",
     "",
     R"(tools/a.yml:2:9: the name 'get users!' may be refused by MCP clients (use at most 64 letters, digits, '_', '-' and '.')
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  language: python
  source: {code: SELECT 1, language: sql}
  tests:
    - name: t
      arguments: [{key: idd, value: 1}]
  parameters: [{name: id, type: integer}]
)",
     "",
     R"(tools/a.yml:4:38: 'language' differs from the language of the endpoint, which counts (remove one of them)
tools/a.yml:6:7: the test 't' gives the argument 'idd', which is no parameter (did you mean 'id'?)
)"},
    {"tools/a.yml",
     R"(tool:
)",
     R"(tools/a.yml:1:1: 'tool' has no value (indent its keys under it)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  parameters: [{name: n, type: integer}, {name: N, type: integer}]
  source: {code: 'SELECT $n, $N'}
)",
     R"(tools/a.yml:3:42: the parameters 'n' and 'N' are one to DuckDB, which ignores the case of names (rename one of them)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  input_schema: {type: object, properties: {n: {type: integer}, N: {type: integer}}}
  source: {code: 'SELECT $n, $N'}
)",
     R"(tools/a.yml:3:17: the parameters 'n' and 'N' are one to DuckDB, which ignores the case of names (rename one of them)
)"},
    {"tools/a.yml",
     R"(tool:
  name: a
  language: python
  parameters: [{name: n, type: integer}, {name: N, type: integer}]
  source: {code: 'def a(n, N): return n + N'}
)",
     ""},
    {"tools/a.yml",
     R"(tool: greet
)",
     R"(tools/a.yml:1:7: the tool must be a mapping of keys to values, found the string 'greet' (the keys are 'name', 'description', 'tags', 'annotations', 'parameters', 'return', 'language', 'source', 'policies', 'tests', 'enabled', 'title', 'icons', '_meta', 'input_schema', 'output_schema', 'task', 'limits' and 'content')
)"},
};

}  // namespace

TEST_CASE("mistakes in endpoint files") {
  test::TempProject project;
  project.write("sql/get_user.sql", "SELECT 1").write("sql/empty.sql", "\n");
  project.write("python/code.py", "");
  for (const Mistake& mistake : kMistakes) {
    CAPTURE(std::string(mistake.yaml));
    project.write(mistake.path, mistake.yaml);
    const EndpointFile file = load_endpoint(project.root() / mistake.path, project.root());
    CHECK(test::texts_of(file.errors) == mistake.errors);
    CHECK(test::texts_of(file.warnings) == mistake.warnings);
    CHECK((file.endpoint != nullptr) == file.errors.empty());
    for (const Error& error : file.errors) CHECK(error.code == Code::kConfig);
    fs::remove(project.root() / mistake.path);
  }
}
