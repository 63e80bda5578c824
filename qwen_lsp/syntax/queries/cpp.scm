; inherits: c.scm
(class_specifier name: (_) body: (_)) @definition.class
(namespace_definition) @definition.module
(template_declaration) @outer
(alias_declaration) @definition.type
(concept_definition) @definition.type

(function_definition declarator: [
  (function_declarator declarator: [(field_identifier) (destructor_name) (operator_name)] @name)
  (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name))
  (reference_declarator (function_declarator declarator: [(identifier) (field_identifier) (operator_name)] @name))
]) @definition.function
(function_definition declarator: [
  (function_declarator declarator: (qualified_identifier name: [
    (identifier) @name (destructor_name) @name (operator_name) @name
    (qualified_identifier name: [(identifier) (destructor_name) (operator_name)] @name)]))
  (pointer_declarator declarator: (function_declarator declarator: (qualified_identifier name: [
    (identifier) @name (operator_name) @name (qualified_identifier name: (identifier) @name)])))
  (reference_declarator (function_declarator declarator: (qualified_identifier name: [
    (identifier) @name (operator_name) @name (qualified_identifier name: [(identifier) (operator_name)] @name)])))
]) @definition.method
(declaration declarator: [
  (function_declarator declarator: (destructor_name) @name)
  (reference_declarator (function_declarator declarator: (identifier) @name))
]) @definition.function
(field_declaration declarator: [
  (function_declarator declarator: [(field_identifier) (operator_name)] @name)
  (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name))
  (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))
]) @definition.method
(field_declaration declarator: (reference_declarator (field_identifier) @name)) @definition.field
(namespace_definition body: (declaration_list (declaration declarator: [
  (identifier) @name
  (init_declarator declarator: [(identifier) @name (array_declarator declarator: (identifier) @name)])
]) @definition.variable))

(call_expression function: [
  (qualified_identifier name: [(identifier) @reference (template_function name: (identifier) @reference)
                               (qualified_identifier name: (identifier) @reference)])
  (template_function name: (identifier) @reference)])
(qualified_identifier scope: (namespace_identifier) @qualifier)
(field_expression field: (template_method name: (field_identifier) @reference))

(using_declaration (qualified_identifier) @module) @import
