; inherits: typescript.scm jsx.scm
