// The rules that `mxcp validate` checks, by their stable names: scripts filter on them, and every
// one is explained in docs/validate.md. A name is never given to another rule; it may only go.
#pragma once

#include <array>
#include <string_view>

namespace mxcp::rules {

// The YAML file itself.
inline constexpr std::string_view kFile = "file-unreadable";
inline constexpr std::string_view kYaml = "yaml-syntax";
inline constexpr std::string_view kEndpointKind = "endpoint-kind";
inline constexpr std::string_view kUnknownKey = "unknown-key";
inline constexpr std::string_view kMissingKey = "missing-key";
inline constexpr std::string_view kWrongValue = "wrong-value";
inline constexpr std::string_view kDuplicateName = "duplicate-name";
inline constexpr std::string_view kName = "name-form";

// Types.
inline constexpr std::string_view kUnknownType = "unknown-type";
inline constexpr std::string_view kUnknownFormat = "unknown-format";
inline constexpr std::string_view kType = "type-contradiction";

// Sources, URIs, messages, completions, tests, policies.
inline constexpr std::string_view kSource = "source";
inline constexpr std::string_view kSourceMissing = "source-missing";
inline constexpr std::string_view kUri = "resource-uri";
inline constexpr std::string_view kUriParameter = "resource-parameter";
inline constexpr std::string_view kPromptSyntax = "prompt-syntax";
inline constexpr std::string_view kPromptVariable = "prompt-variable";
inline constexpr std::string_view kCompletionValue = "completion-value-parameter";
inline constexpr std::string_view kCompletionWrites = "completion-writes";
inline constexpr std::string_view kTest = "test-form";
inline constexpr std::string_view kPolicy = "policy-form";
inline constexpr std::string_view kPolicyCondition = "policy-condition";
inline constexpr std::string_view kPolicyEffect = "policy-no-effect";
inline constexpr std::string_view kPolicyUser = "policy-user-parameter";

// SQL.
inline constexpr std::string_view kDatabase = "database";
inline constexpr std::string_view kSqlEmpty = "sql-empty";
inline constexpr std::string_view kSqlSyntax = "sql-syntax";
inline constexpr std::string_view kSqlInvalid = "sql-invalid";
inline constexpr std::string_view kSqlMissingTable = "sql-missing-table";
inline constexpr std::string_view kSqlMissingFile = "sql-missing-file";
inline constexpr std::string_view kSqlPositional = "sql-positional-parameter";
inline constexpr std::string_view kSqlUndeclared = "sql-undeclared-parameter";
inline constexpr std::string_view kSqlUnused = "sql-unused-parameter";
inline constexpr std::string_view kSqlParameterType = "sql-parameter-type";
inline constexpr std::string_view kSqlColumns = "sql-columns";
inline constexpr std::string_view kReadOnlyHint = "read-only-hint";

// Python.
inline constexpr std::string_view kPythonSyntax = "python-syntax";
inline constexpr std::string_view kPythonFunction = "python-function";
inline constexpr std::string_view kPythonParameters = "python-parameters";
inline constexpr std::string_view kPythonAnnotation = "python-annotation";
inline constexpr std::string_view kPythonModule = "python-module-name";

// Plugins.
inline constexpr std::string_view kPlugin = "plugin-module";
inline constexpr std::string_view kPluginConfig = "plugin-config";
inline constexpr std::string_view kPluginFunction = "plugin-function";

inline constexpr std::array kAll = {
    kFile,
    kYaml,
    kEndpointKind,
    kUnknownKey,
    kMissingKey,
    kWrongValue,
    kDuplicateName,
    kName,
    kUnknownType,
    kUnknownFormat,
    kType,
    kSource,
    kSourceMissing,
    kUri,
    kUriParameter,
    kPromptSyntax,
    kPromptVariable,
    kCompletionValue,
    kCompletionWrites,
    kTest,
    kPolicy,
    kPolicyCondition,
    kPolicyEffect,
    kPolicyUser,
    kDatabase,
    kSqlEmpty,
    kSqlSyntax,
    kSqlInvalid,
    kSqlMissingTable,
    kSqlMissingFile,
    kSqlPositional,
    kSqlUndeclared,
    kSqlUnused,
    kSqlParameterType,
    kSqlColumns,
    kReadOnlyHint,
    kPythonSyntax,
    kPythonFunction,
    kPythonParameters,
    kPythonAnnotation,
    kPythonModule,
    kPlugin,
    kPluginConfig,
    kPluginFunction,
};

}  // namespace mxcp::rules
