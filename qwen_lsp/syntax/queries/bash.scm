(function_definition) @definition.function
(program (variable_assignment name: (variable_name) @name) @definition.variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @definition.variable)

(command_name (word) @reference)
(simple_expansion (variable_name) @reference)
(expansion . (variable_name) @reference)

; `.` cannot be written as a word of a capture: `dot` stands for it.
(command name: (command_name (word) @by.source.dot) . argument: [(word) (string) (concatenation) (raw_string)] @module) @import
