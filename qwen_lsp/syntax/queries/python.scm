; The colon, not the block, ends a header: comments may stand between the two.
(function_definition name: (identifier) @name ":" @body) @definition.function
(class_definition name: (identifier) @name ":" @body) @definition.class
(decorated_definition) @outer
(type_alias_statement left: (type [(identifier) @name (generic_type . (identifier) @name)]) "=" @body) @definition.type

; Names assigned at the top of a module or a class; those of functions are nobody else's business.
(module (expression_statement
  (assignment left: [(identifier) @name (pattern_list (identifier) @name)] right: (_)? @body) @definition.variable))
(module [(if_statement (block (expression_statement (assignment left: (identifier) @name right: (_)? @body) @definition.variable)))
         (try_statement (block (expression_statement (assignment left: (identifier) @name right: (_)? @body) @definition.variable)))])
(class_definition body: (block (expression_statement
  (assignment left: (identifier) @name right: (_)? @body) @definition.variable)))

(call function: (identifier) @reference)
(attribute attribute: (identifier) @reference)
(decorator (identifier) @reference)
(class_definition superclasses: (argument_list [(identifier) @reference (keyword_argument value: (identifier) @reference)]))
(type (identifier) @reference)
(type (binary_operator [(identifier) @reference (binary_operator (identifier) @reference)]))
(generic_type (identifier) @reference)

(import_statement name: [(dotted_name) @module (aliased_import name: (dotted_name) @module)]) @import
(import_from_statement module_name: (_) @module) @import
(import_from_statement name: [(dotted_name) @imported (aliased_import name: (dotted_name) @imported)]) @import
(import_from_statement (wildcard_import) @imported) @import
