(function_definition) @definition.function
(program (variable_assignment name: (variable_name) @name) @definition.variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @definition.variable)

(command_name (word) @reference)
(simple_expansion (variable_name) @reference)
(expansion . (variable_name) @reference)

(command name: (command_name (word) @guard) . argument: [(word) (string) (concatenation) (raw_string)] @module) @import
