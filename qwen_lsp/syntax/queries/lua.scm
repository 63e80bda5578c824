(function_declaration name: [(identifier) @name (dot_index_expression field: (identifier) @name)]) @definition.function
(function_declaration name: (method_index_expression method: (identifier) @name)) @definition.method
(assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression field: (identifier) @name)])
  (expression_list . value: (function_definition body: (_)? @body))) @definition.function
(field name: (identifier) value: (function_definition body: (_)? @body)) @definition.function
(chunk (variable_declaration (assignment_statement (variable_list name: (identifier) @name)
  (expression_list . value: [(table_constructor) (string)]? @body)) @definition.variable))
(chunk (assignment_statement (variable_list name: [(identifier) @name (dot_index_expression field: (identifier) @name)])
  (expression_list . value: [(table_constructor) (string)]? @body)) @definition.variable)

(function_call name: (identifier) @reference)
(dot_index_expression field: (identifier) @type)
(method_index_expression method: (identifier) @type)

(function_call name: (identifier) @by.require.dofile.loadfile arguments: (arguments . (string content: (string_content) @module) .)) @import
