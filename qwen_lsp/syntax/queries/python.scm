(function_definition) @definition.function
(class_definition) @definition.class
(decorated_definition) @outer
(type_alias_statement left: (type [(identifier) @name (generic_type . (identifier) @name)])) @definition.type

; Names assigned at the top of a module or a class.
(module (expression_statement (assignment left: [(identifier) (pattern_list (identifier) @name) (tuple_pattern (identifier) @name)]) @definition.variable))
(class_definition body: (block (expression_statement (assignment left: (identifier)) @definition.variable)))
; Below an `if` or a `try` too; those of functions are nobody else's business.
(if_statement [(block (expression_statement (assignment left: (identifier)) @definition.global))
  (_ (block (expression_statement (assignment left: (identifier)) @definition.global)))])
(try_statement [(block (expression_statement (assignment left: (identifier)) @definition.global))
  (_ (block (expression_statement (assignment left: (identifier)) @definition.global)))])
(assignment left: [
    (attribute object: (identifier) @is.self attribute: (identifier) @name)
    (pattern_list (attribute object: (identifier) @is.self attribute: (identifier) @name))
  ] right: (_)? @body) @definition.attribute

(call function: (identifier) @reference)
(attribute attribute: (identifier) @reference)
(decorator (identifier) @reference)
(class_definition superclasses: (argument_list [(identifier) @reference (keyword_argument value: (identifier) @reference)]))
(type [(identifier) @reference (binary_operator [(identifier) @reference (binary_operator (identifier) @reference)])])
(generic_type (identifier) @reference)

(import_statement name: [(dotted_name) @module (aliased_import name: (dotted_name) @module)]) @import
(import_from_statement module_name: (_) @module) @import
(import_from_statement [name: (dotted_name) @imported name: (aliased_import name: (_) @imported) (wildcard_import) @imported])
