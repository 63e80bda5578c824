;;; qwen.el --- Qwen3-Coder through qwen-lsp, beside any other language server -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))

;;; Commentary:

;; M-x qwen-complete, qwen-act, qwen-explain, qwen-edit, qwen-undo, qwen-stop, qwen-status: see docs/emacs.md.
;; eglot has one server for a buffer, so this one has a connection of its own: one for each repository.

;;; Code:

(require 'jsonrpc)
(require 'seq)
(require 'subr-x)
(require 'url-util)

(defgroup qwen nil "Qwen3-Coder through qwen-lsp." :group 'tools)
(defcustom qwen-command '("qwen-lsp" "serve") "The server and its arguments." :type '(repeat string))

(defvar qwen--servers nil "Connections, by folder.")
(defvar qwen--told nil "What the server said last; progress does not take its place.")
(defvar qwen--progress nil "What was said last of something that goes on.")
(defvar-local qwen--known nil "What a server knows of this buffer: (CONNECTION VERSION TICK).")
(put 'qwen--known 'permanent-local t)

(defun qwen--uri (path) (concat "file://" (url-hexify-string (expand-file-name path) url-path-allowed-chars)))
(defun qwen--path (uri) (decode-coding-string (url-unhex-string (string-remove-prefix "file://" uri)) 'utf-8))

(defun qwen--server ()
  "The connection for this repository; it knows all buffers as they are now."
  (let* ((root (expand-file-name (or (locate-dominating-file default-directory ".git") default-directory)))
         (server (alist-get root qwen--servers nil nil #'equal)))
    (unless (and server (jsonrpc-running-p server))
      (setq server (qwen--start root))
      (setf (alist-get root qwen--servers nil nil #'equal) server))
    (qwen--tell-all server)))

(defun qwen--tell-all (server)
  "Tell SERVER of the buffers in its folder; return it."
  (let ((root (car (rassq server qwen--servers))))
    (dolist (buffer (buffer-list) server)
      (with-current-buffer buffer
        (when (and buffer-file-name (string-prefix-p root buffer-file-name)) (qwen--tell server))))))

(defun qwen--start (root)
  "Start the server for the folder ROOT."
  (message "Qwen: starting the server…")
  (redisplay) ; it takes seconds
  (let* ((default-directory root)
         (server (make-instance
                  'jsonrpc-process-connection :name "qwen"
                  :process (lambda () (make-process :name "qwen" :command qwen-command :coding 'utf-8-emacs-unix
                                                    :connection-type 'pipe :noquery t
                                                    :stderr (get-buffer-create "*qwen stderr*")))
                  :request-dispatcher #'qwen--asked :notification-dispatcher #'qwen--heard)))
    (jsonrpc-request
     server :initialize
     (list :processId (emacs-pid) :rootUri (qwen--uri root)
           :workspaceFolders (vector (list :uri (qwen--uri root) :name (file-name-base (directory-file-name root))))
           :capabilities '( :general (:positionEncodings ["utf-32"]) ; characters, as Emacs counts them
                            :window (:workDoneProgress t)
                            :workspace (:applyEdit t :workspaceEdit (:documentChanges t))
                            :textDocument (:inlineCompletion (:dynamicRegistration :json-false)
                                           :codeAction (:codeActionLiteralSupport (:codeActionKind (:valueSet []))))
                            :experimental (:qwen (:approvals t))))
     :timeout 60)
    (jsonrpc-notify server :initialized (make-hash-table))
    server))

(defun qwen--tell (server)
  "Tell SERVER what this buffer holds, unless it knows."
  (let ((old (and (eq (car qwen--known) server) qwen--known)) (tick (buffer-chars-modified-tick))
        (text (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max)))))
    (unless (eql (nth 2 old) tick)
      (setq qwen--known (list server (1+ (or (nth 1 old) 0)) tick))
      (add-hook 'kill-buffer-hook #'qwen--closed nil t)
      (let ((document (list :uri (qwen--uri buffer-file-name) :version (nth 1 qwen--known))))
        (if old (jsonrpc-notify server :textDocument/didChange
                                (list :textDocument document :contentChanges (vector (list :text text))))
          (jsonrpc-notify server :textDocument/didOpen
                          (list :textDocument (nconc document (list :languageId (qwen--language) :text text)))))))))

(defun qwen--language () (replace-regexp-in-string "\\(-ts\\)?-mode\\'" "" (symbol-name major-mode)))

(defun qwen--closed ()
  (when (jsonrpc-running-p (car qwen--known))
    (jsonrpc-notify (car qwen--known) :textDocument/didClose (list :textDocument (qwen--here)))))

(put 'qwen--closed 'permanent-local-hook t)

(defun qwen--here () (list :uri (qwen--uri (or buffer-file-name (user-error "This buffer has no file")))))
(defun qwen--position (pos)
  (list :line (1- (line-number-at-pos pos t))
        :character (save-excursion (goto-char pos) (- pos (line-beginning-position)))))
(defun qwen--range ()
  (list :start (qwen--position (if (use-region-p) (region-beginning) (point)))
        :end (qwen--position (if (use-region-p) (region-end) (point)))))

(defun qwen--replace (edit)
  "Make one text EDIT in this buffer."
  (pcase-let ((`(,start ,end) (mapcar (lambda (side)
                                        (let ((place (plist-get (plist-get edit :range) side)))
                                          (goto-char (point-min))
                                          (forward-line (plist-get place :line))
                                          (min (point-max) (+ (point) (plist-get place :character)))))
                                      '(:start :end))))
    (goto-char start)
    (delete-region start end)
    (insert (or (plist-get edit :newText) (plist-get edit :insertText)))))

(defun qwen--apply (edit)
  "Make a workspace EDIT of open texts, if all are as the server knows them."
  (let ((steps (mapcar (lambda (step)
                         (let ((document (plist-get step :textDocument)))
                           (list (get-file-buffer (qwen--path (plist-get document :uri)))
                                 (plist-get document :version) (plist-get step :edits))))
                       (plist-get edit :documentChanges))))
    (when (seq-every-p (lambda (step)
                         (and (car step)
                              (with-current-buffer (car step)
                                (and (eql (nth 1 qwen--known) (nth 1 step))
                                     (eql (nth 2 qwen--known) (buffer-chars-modified-tick))))))
                       steps)
      (pcase-dolist (`(,buffer ,_ ,edits) steps t)
        (with-current-buffer buffer
          (save-restriction
            (widen)
            (save-excursion (undo-boundary) (mapc #'qwen--replace (reverse edits)) (undo-boundary)))
          (qwen--tell (car qwen--known)))))))

(defun qwen--asked (server method params)
  "Answer the request METHOD of SERVER with PARAMS."
  (pcase method
    ('workspace/applyEdit
     (prog1 (list :applied (if (qwen--apply (plist-get params :edit)) t :json-false))
       (qwen--tell-all server))) ; tells what was typed meanwhile, to which the server then fits the edit
    ('qwen/approve
     (if-let ((diff (plist-get params :diff))) (qwen--show diff #'diff-mode) (qwen--show (plist-get params :detail)))
     (qwen--answer (lambda () (nth 2 (read-multiple-choice (plist-get params :title) (qwen--choices params))))))
    ('qwen/ask
     (let ((options (mapcar (lambda (one) (nth 2 one)) (qwen--choices params))))
       (qwen--answer (lambda () (completing-read (qwen--prompt (plist-get params :title) options) options)))))))

(defun qwen--prompt (question options)
  "QUESTION with its OPTIONS, if there are any."
  (concat question (when options (format " (%s)" (string-join options ", "))) " "))

(defun qwen--choices (question)
  "The answers to QUESTION: of each a key, a text, and what is sent back."
  (mapcar (lambda (one) (list (aref (plist-get one :key) 0) (plist-get one :text) (plist-get one :answer)))
          (plist-get question :choices)))

(defun qwen--answer (ask)
  "What ASK returns, as an answer; none where the person leaves."
  (list :answer (condition-case nil (funcall ask) (quit ""))))

(defun qwen--heard (_server method params)
  "Show what the notification METHOD with PARAMS says."
  (pcase method
    ('window/showMessage (setq qwen--told (message "%s" (plist-get params :message))))
    ('$/progress
     (let* ((value (plist-get params :value)) (said (or (plist-get value :message) (plist-get value :title))))
       (if (not said) (when (equal (current-message) qwen--progress) (message nil)) ; what was said since stays
         (unless (and qwen--told (equal (current-message) qwen--told))
           (message "%s" (setq qwen--progress (concat "Qwen: " said)))))))
    ('qwen/stream (with-current-buffer (qwen--show) (goto-char (point-max)) (insert (plist-get params :text))))))

(defun qwen--show (&optional text mode)
  "The buffer of answers, shown; with TEXT it holds that, in MODE."
  (with-current-buffer (get-buffer-create "*qwen*")
    (when text (erase-buffer) (funcall (or mode #'text-mode)) (insert text) (goto-char (point-min)))
    (unless (get-buffer-window) (display-buffer (current-buffer)))
    (current-buffer)))

(defun qwen--run (command argument &optional then)
  "Have COMMAND carried out with ARGUMENT, then call THEN with its result."
  (jsonrpc-async-request
   (qwen--server) :workspace/executeCommand (list :command command :arguments (vector argument))
   :success-fn (lambda (result) (run-at-time 0 nil (or then #'qwen--landed) result))
   :error-fn (lambda (problem) (message "Qwen: %s" (plist-get problem :message)))
   :timeout nil))

(defun qwen--landed (result)
  "Say what came of an edit, which RESULT tells."
  (message "Qwen: %s" (plist-get result :text)))

;;;###autoload
(defun qwen-complete ()
  "Insert what belongs at point; `undo' takes it back."
  (interactive)
  (let* ((reply (jsonrpc-request (qwen--server) :textDocument/inlineCompletion
                                 (list :textDocument (qwen--here) :position (qwen--position (point))
                                       :context '(:triggerKind 1))))
         (items (plist-get reply :items)))
    (if (seq-empty-p items) (message "Qwen: nothing; M-x qwen-status") (qwen--replace (elt items 0)))))

;;;###autoload
(defun qwen-act ()
  "Choose one of the actions for point or the region."
  (interactive)
  (let* ((actions (jsonrpc-request (qwen--server) :textDocument/codeAction
                                   (list :textDocument (qwen--here) :range (qwen--range) :context '(:diagnostics []))))
         (titles (mapcar (lambda (action) (plist-get action :title)) actions))
         (title (minibuffer-with-setup-hook #'minibuffer-completion-help (completing-read "Action: " titles nil t)))
         (chosen (plist-get (elt actions (seq-position titles title)) :command))
         (argument (plist-put (elt (plist-get chosen :arguments) 0) :wait t)))
    (when (equal (plist-get chosen :command) "qwen.edit") (plist-put argument :task (read-string "Change: ")))
    (qwen--run (plist-get chosen :command) (plist-put argument :show :json-false)
               (lambda (result) (if (stringp result) (qwen--show result) (qwen--landed result))))))

;;;###autoload
(defun qwen-explain ()
  "Explain this file, or the region."
  (interactive)
  (let ((where (nconc (qwen--here) (when (use-region-p) (list :range (qwen--range))) (list :stream "explain"))))
    (qwen--show "" (if (fboundp 'markdown-mode) 'markdown-mode #'text-mode))
    (qwen--run "qwen.explainFile" where (lambda (_) (message "Qwen: explained")))))

;;;###autoload
(defun qwen-edit (task)
  "Have the agent carry out TASK, show its diff, and land it on a yes."
  (interactive "sTask: ")
  (let ((where (nconc (qwen--here) (when (use-region-p) (list :range (qwen--range))))))
    (qwen--run "qwen.edit" (nconc (list :task task :apply :json-false) where) #'qwen--edited)))

(defun qwen--edited (result)
  "Show the diff of a run's RESULT, and land it on a yes."
  (let ((said (concat (plist-get result :summary) (unless (equal (plist-get result :ended) "done") (plist-get result :reason)))))
    (if (string-empty-p (plist-get result :diff)) (qwen--show said)
      (qwen--show (plist-get result :diff) #'diff-mode)
      (when (y-or-n-p (format "%s Apply? " said)) (qwen--run "qwen.landEdit" (list :run (plist-get result :run)))))))

;;;###autoload
(defun qwen-undo ()
  "Take back the edit that landed last."
  (interactive)
  (qwen--run "qwen.undoEdit" (qwen--here)))
;;;###autoload
(defun qwen-stop () "Stop the agent." (interactive) (qwen--run "qwen.stopEdit" (qwen--here) #'ignore))
;;;###autoload
(defun qwen-status () "Say how the server stands." (interactive) (qwen--run "qwen.status" '(:show t) #'ignore))

(provide 'qwen)
;;; qwen.el ends here
