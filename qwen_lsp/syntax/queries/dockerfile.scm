(from_instruction as: (image_alias) @name) @definition.section
(arg_instruction) @definition.variable
(env_instruction (env_pair name: (_) @name)) @definition.variable

(image_spec name: (image_name) @reference)
(expansion (variable) @reference)
