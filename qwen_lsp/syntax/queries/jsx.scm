; Components start with a capital; lower-case tags are markup.
(jsx_opening_element name: (identifier) @qualifier)
(jsx_self_closing_element name: (identifier) @qualifier)
