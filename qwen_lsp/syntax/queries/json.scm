; The first two levels are what a file is about; what lies deeper is data.
(document (object (pair key: (string (string_content) @name)) @definition.key))
(document (object (pair value: (object
  (pair key: (string (string_content) @name)) @definition.key))))
