; A section is shown by its heading: whatever follows it is body.
(section . (atx_heading heading_content: (inline) @name) . (_)? @body) @definition.section
(setext_heading heading_content: (paragraph (inline) @name)) @definition.section
