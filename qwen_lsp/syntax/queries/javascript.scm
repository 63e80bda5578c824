; inherits: ecma.scm jsx.scm
(class_declaration) @definition.class
(class name: (identifier)) @definition.class
(class_heritage (identifier) @reference)
(field_definition property: _ @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]?) @definition.field
