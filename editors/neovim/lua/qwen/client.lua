--- One server for all folders: how it starts, what it is told, what it may ask of the editor.
local options = require('qwen.options')
local M = {}
local streams = {} ---@type table<string, fun(params: table)> Who takes what comes under a token.

local METHODS = vim.lsp.config ~= nil -- From 0.11 on the functions of a client are methods.
local OFTEN = 'the server ends again and again. :Qwen log tells why, :Qwen restart tries once more'
local NO_SERVER = 'no server: `pipx install git+https://github.com/qwen-lsp/qwen-lsp`'
local TRIES, WITHIN = 3, 60e9 -- A server that dies is started again, so often in so many nanoseconds.
local ended, meant, added, missed, died = {}, {}, {}, false, 0

local function say(...) require('qwen').say(...) end

---@param client vim.lsp.Client
function M.call(client, method, ...)
  if METHODS then return client[method](client, ...) end
  return client[method](...)
end

--- The client of the current buffer; else any.
---@return vim.lsp.Client?
function M.get()
  return vim.lsp.get_clients({ name = 'qwen', bufnr = 0 })[1] or vim.lsp.get_clients({ name = 'qwen' })[1]
end

---@return string[]? command The command line of the server; nil where it is not installed.
---@return string problem
function M.program()
  local given = options.now.cmd or { vim.fn.exepath('qwen-lsp'), 'serve' }
  if given[1] == '' then given[1] = vim.fs.normalize('~/.local/bin/qwen-lsp') end
  local problem = options.now.cmd and given[1] .. ' was not found' or NO_SERVER
  return vim.fn.executable(given[1]) == 1 and given or nil, problem .. ', then :Qwen restart'
end

--- Whether a buffer is a file that Qwen should see, and can; what is missing is said once.
---@param buf integer
local function wanted(buf)
  local kinds, bo = options.now.filetypes, vim.bo[buf]
  local asked = vim.F.if_nil(kinds[bo.filetype], kinds['*'])
  if not asked or not bo.buflisted or bo.buftype ~= '' or vim.b[buf].qwen_enabled == false then return false end
  local size = vim.api.nvim_buf_get_offset(buf, vim.api.nvim_buf_line_count(buf))
  if size > options.now.max_file_size then return false end
  local program, problem = M.program()
  if not program and not missed then vim.schedule(function() say(problem, vim.log.levels.WARN) end) end
  missed = not program
  return not missed
end

--- The top folder of a buffer's workspace; the home folder as a whole is none.
local function root(buf)
  for _, markers in ipairs(options.now.root_markers) do
    local found = vim.fs.root(buf, markers)
    if found and found ~= vim.uv.os_homedir() then return found end
  end
end

local function environment()
  local key = options.now.api_key
  if type(key) == 'table' then
    local done = vim.system(key, { text = true }):wait()
    if done.code ~= 0 then say('the command of api_key failed: ' .. vim.trim(done.stderr), vim.log.levels.ERROR) end
    key = done.code == 0 and vim.trim(done.stdout) or nil
  elseif key then
    key = key()
  end
  return key and { OPENAI_API_KEY = key } or nil
end

local function tell_folders(client)
  local event = { added = added, removed = {} }
  if #added > 0 then M.call(client, 'notify', 'workspace/didChangeWorkspaceFolders', { event = event }) end
  added = {}
end

local function reuse(client, config)
  if client.name ~= 'qwen' or M.call(client, 'is_stopped') then return false end
  local new, folders = config.root_dir, client.workspace_folders or {}
  if new and not vim.iter(folders):any(function(folder) return folder.name == new end) then
    local folder = { uri = vim.uri_from_fname(new), name = new }
    client.workspace_folders = vim.list_extend(folders, { folder })
    added[#added + 1] = folder
    if client.initialized then tell_folders(client) end
  end
  return true
end

local function on_exit(_, _, id)
  vim.schedule(function()
    local how, now, code = meant[id], vim.uv.hrtime(), died
    meant[id], died = nil, 0
    require('qwen.run').drop()
    require('qwen').told({ state = 'off', word = 'off', text = 'Qwen is not running.' })
    if how == 'restart' then return M.start_all() end
    if how or vim.v.exiting ~= vim.NIL or code == 0 then return end
    ended = vim.tbl_filter(function(at) return now - at < WITHIN end, ended)
    ended[#ended + 1] = now
    if #ended > TRIES then return say(OFTEN, vim.log.levels.ERROR) end
    say('the server ended unexpectedly and is started again', vim.log.levels.WARN)
    M.start_all()
  end)
end

--- Without nulls, which are of use to nobody here.
local function plain(value)
  for key, one in pairs(type(value) == 'table' and value or {}) do
    if one == vim.NIL then value[key] = nil end
    plain(one)
  end
  return value
end

local function streamed(_, params)
  local take = streams[params.stream or params.token]
  if take then take(plain(params)) end
end

local function asked(_, params) return require('qwen.run').ask(params) end

--- All of an edit or nothing: Neovim itself looks at the version of the first file alone. The server hears of what is
--- opened for it before it hears that it is done.
local function apply(_, params, context)
  local bufs, created = {}, {}
  for _, step in ipairs(params.edit.documentChanges or {}) do
    local text, version = step.textDocument, vim.tbl_get(step, 'textDocument', 'version')
    local buf = text and vim.uri_to_bufnr(text.uri)
    bufs[#bufs + 1] = buf
    if type(version) == 'number' and vim.lsp.util.buf_versions[buf] ~= version then
      return { applied = false, failureReason = vim.fn.bufname(buf) .. ' was changed meanwhile' }
    end
    if step.kind == 'create' then created[step.uri] = true end
    for _, edit in ipairs(step.edits or {}) do
      edit.annotationId = nil -- It was looked at before.
      -- A new buffer has a line already, whose end would be one too many.
      if created[text.uri] then edit.newText = edit.newText:gsub('\n$', '') end
    end
  end
  for _, buf in ipairs(bufs) do vim.bo[buf].buflisted = true end
  local encoding = assert(vim.lsp.get_client_by_id(context.client_id)).offset_encoding
  local done, problem = pcall(vim.lsp.util.apply_workspace_edit, params.edit, encoding)
  vim.iter(bufs):filter(vim.api.nvim_buf_is_loaded):each(M.start)
  return { applied = done, failureReason = not done and tostring(problem) or nil }
end

--- For vim.lsp.config and vim.lsp.start alike.
---@return vim.lsp.ClientConfig
function M.config()
  local can = vim.lsp.protocol.make_client_capabilities()
  can.experimental = { qwen = { approvals = true, status = true } }
  local inline = options.now.inline and can.textDocument.inlineCompletion ~= nil
  if not inline then can.textDocument.inlineCompletion = vim.NIL end -- Neovim would put it in again.
  return {
    name = 'qwen',
    cmd = function(dispatchers)
      local program, problem = M.program()
      local exit = dispatchers.on_exit
      dispatchers.on_exit = function(code, signal) -- We have a word for it ourselves, and a remedy.
        died = code + signal
        exit(0, 0)
      end
      return vim.lsp.rpc.start(program or error(problem, 0), dispatchers, { env = environment() })
    end,
    root_dir = function(buf, start) return wanted(buf) and start(root(buf)) end,
    reuse_client = reuse,
    capabilities = can,
    settings = { qwen = options.now.settings },
    init_options = options.now.settings,
    flags = { debounce_text_changes = 0 }, -- The server sees how fast somebody types, and waits accordingly.
    handlers = {
      ['qwen/status'] = function(_, params) require('qwen').told(plain(params)) end,
      ['qwen/stream'] = streamed,
      ['qwen/agentEvent'] = streamed,
      ['qwen/approve'] = asked,
      ['qwen/ask'] = asked,
      ['workspace/applyEdit'] = apply,
    },
    on_init = function(client)
      -- Where ghost text is, it would only take the place of another 'omnifunc'.
      if inline then client.server_capabilities.completionProvider = nil end
      tell_folders(client)
    end,
    on_attach = function(client, buf)
      if inline then return require('qwen.inline').sync(buf) end
      require('qwen.inline').menu_source(client, buf)
    end,
    on_exit = on_exit,
  }
end

---@param buf integer
function M.start(buf)
  if not wanted(buf) then return end
  local config = vim.tbl_extend('force', {}, METHODS and vim.lsp.config.qwen or M.config())
  config.root_dir = root(buf)
  vim.lsp.start(config, { bufnr = buf, reuse_client = config.reuse_client })
end

function M.start_all()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.bo[buf].filetype ~= '' then M.start(buf) end
  end
end

function M.restart()
  local clients = vim.lsp.get_clients({ name = 'qwen' })
  ended, missed = {}, false
  for _, client in ipairs(clients) do
    meant[client.id] = 'restart'
    M.call(client, 'stop')
    vim.defer_fn(function() return meant[client.id] and M.call(client, 'stop', true) end, 3000)
  end
  if #clients == 0 then M.start_all() end
end

--- One of the server's commands, with its one argument. An error is a sentence, and shown.
---@param name string
---@param argument table
---@param done? fun(result: any)
---@param failed? fun(message: string)
---@param take? fun(params: table) Gets what comes before the result.
---@return fun() cancel
function M.command(name, argument, done, failed, take)
  local client = M.get()
  if not client then
    say('not running here. :checkhealth qwen tells why', vim.log.levels.WARN)
    return function() end
  end
  local token = ('nvim-%d'):format(vim.uv.hrtime())
  streams[token], argument.stream = take, take and token
  local params = { command = name, arguments = { next(argument) and argument or vim.empty_dict() } }
  local _, id = M.call(client, 'request', 'workspace/executeCommand', params, function(err, result)
    streams[token] = nil
    if not err then return done and done(plain(result)) end
    if failed then failed(err.message) end
    if err.code ~= -32800 then say(err.message, vim.log.levels.ERROR) end -- Else somebody took it back.
  end, vim.api.nvim_get_current_buf())
  return function()
    streams[token] = nil
    if id and client.requests[id] then M.call(client, 'cancel_request', id) end
  end
end

return M
