(rule (targets (word) @name) (recipe)? @body) @definition.rule
(variable_assignment) @definition.variable
(define_directive) @definition.macro

(prerequisites (word) @reference)
(variable_reference (word) @reference)

(include_directive filenames: (list (word) @module)) @import
