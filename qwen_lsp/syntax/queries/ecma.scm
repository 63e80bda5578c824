; What JavaScript and TypeScript have in common.
(function_declaration) @definition.function
(generator_function_declaration) @definition.function
(method_definition) @definition.method
(variable_declarator name: (identifier)
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)]) @definition.function
(assignment_expression left: [(identifier) @name (member_expression property: (property_identifier) @name)]
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition.function
(pair key: (property_identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition.method
(assignment_expression left: (member_expression object: (this) property: (property_identifier) @name)
  right: (_) @body) @definition.attribute
(export_statement) @outer

(program (lexical_declaration (variable_declarator name: (identifier)) @definition.variable))
(program (variable_declaration (variable_declarator name: (identifier)) @definition.variable))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier)) @definition.variable)))

(call_expression function: (identifier) @reference)
(new_expression constructor: (identifier) @reference)
(member_expression property: (property_identifier) @reference)
(decorator (identifier) @reference)

(import_statement source: (string (string_fragment) @module)) @import
(import_statement (import_clause (identifier) @imported)) @import
(import_statement (import_clause (named_imports (import_specifier name: (identifier) @imported)))) @import
(export_statement source: (string (string_fragment) @module)) @import
(export_statement (export_clause (export_specifier name: (identifier) @imported)) source: (_)) @import
(call_expression function: (identifier) @by.require arguments: (arguments . (string (string_fragment) @module) .)) @import
(call_expression function: (import) arguments: (arguments . (string (string_fragment) @module))) @import
