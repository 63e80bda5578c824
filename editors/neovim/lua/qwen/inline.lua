--- Ghost text: Neovim's own inline completion, with parts of it, keys that fall back, and calm beside a menu.
local api, options = vim.api, require('qwen.options')
local M = {}
local menus = {} ---@type table<integer, true> Buffers with an open completion menu.
local PARTS = {
  word = function(text) return text:match('^%s*[%w_\128-\255]+') or text:match('^%s*[^%w_%s\128-\255]+') or text end,
  line = function(text) return text:match('^\n*[^\n]*') end,
}

---@param buf integer
function M.wanted(buf) return vim.g.qwen_enabled ~= false and vim.b[buf].qwen_enabled ~= false end

--- Neovim has no public way to look at a suggestion or to take a part of it; its own object has. Should a later version
--- be without that object, suggestions can still be accepted as a whole.
local function shown(buf)
  local found, capability = pcall(require, 'vim.lsp._capability')
  return found and vim.tbl_get(capability, 'all', 'inline_completion', 'active', buf) or nil
end

local function inserts(item) return type(item.insert_text) == 'string' and item.range and item.range:is_empty() end

--- What of an insertion is not typed yet; nil when something else was typed since it came.
local function rest(buf, item)
  local row, col = unpack(api.nvim_win_get_cursor(0))
  if row - 1 ~= item.range.start_row or col < item.range.start_col then return nil end
  local typed = api.nvim_buf_get_text(buf, row - 1, item.range.start_col, row - 1, col, {})[1]
  return vim.startswith(item.insert_text, typed) and #typed < #item.insert_text and item.insert_text:sub(#typed + 1)
    or nil
end

local function put(row, from, to, text)
  local lines = vim.split(text, '\n', { plain = true })
  api.nvim_buf_set_text(0, row - 1, from, row - 1, to, lines)
  api.nvim_win_set_cursor(0, { row + #lines - 1, (#lines == 1 and from or 0) + #lines[#lines] })
end

--- Take the suggestion, or its next word or line. At once: vim.lsp.inline_completion.get() does it later, behind keys
--- that were typed meanwhile.
---@param part? 'word'|'line'
---@return boolean taken
local function accept(part)
  local buf = api.nvim_get_current_buf()
  local ghost = shown(buf)
  if not ghost then return vim.lsp.inline_completion ~= nil and not part and vim.lsp.inline_completion.get() end
  local item = ghost.current
  local text = item and inserts(item) and rest(buf, item)
  if not text and (not item or part or inserts(item)) then return false end
  vim.cmd('let &l:undolevels = &l:undolevels') -- So that undo takes back this alone.
  ghost:abort()
  if not text then
    ghost:accept(item)
    return true
  end
  local taken, row, col = part and PARTS[part](text) or text, unpack(api.nvim_win_get_cursor(0))
  put(row, col, col, taken)
  if #taken < #text then
    ghost.current = item
    ghost:show()
  end
  return true
end

local function having(act)
  return function()
    local ghost = shown(api.nvim_get_current_buf())
    if not ghost or not ghost.current then return false end
    act(ghost)
    return true
  end
end

local ACTIONS = {
  accept = function() return accept() end,
  word = function() return accept('word') end,
  line = function() return accept('line') end,
  next = having(function() vim.lsp.inline_completion.select({ count = 1 }) end),
  previous = having(function() vim.lsp.inline_completion.select({ count = -1 }) end),
  dismiss = having(function(ghost) ghost:abort() end),
}

--- Show suggestions in a buffer, or no longer, as its switches and menus want it.
---@param buf integer
function M.sync(buf)
  local inline = vim.lsp.inline_completion
  if not inline or not options.now.inline then return end
  if #vim.lsp.get_clients({ name = 'qwen', bufnr = buf }) == 0 then return end
  local want = M.wanted(buf) and not menus[buf]
  if want == inline.is_enabled({ bufnr = buf }) then return end
  inline.enable(want, { bufnr = buf })
  local group = api.nvim_create_augroup('qwen.stale.' .. buf, {})
  if not want then return end
  -- Made after Neovim's own, which goes on showing a suggestion when something else is typed.
  local function check(event)
    local ghost = shown(buf)
    local item = ghost and ghost.current
    if not item or (inserts(item) and rest(buf, item)) then return end
    if not inserts(item) and event.event == 'CursorMovedI' then return end
    ghost:hide()
    ghost.current = nil
  end
  api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedI' }, { group = group, buffer = buf, callback = check })
  -- Whoever typed while the server started waits for nothing more.
  local ghost = buf == api.nvim_get_current_buf() and api.nvim_get_mode().mode == 'i' and shown(buf)
  if ghost then ghost:automatic_request() end
end

--- A completion menu opened or closed.
---@param open boolean
function M.menu(open)
  local buf = api.nvim_get_current_buf()
  menus[buf] = open or nil
  M.sync(buf)
end

--- Without inline completion: the same suggestion in the completion menu. Of several lines Neovim puts the first alone,
--- or, before 0.11, all into one.
---@param client vim.lsp.Client
---@param buf integer
function M.menu_source(client, buf)
  if vim.lsp.completion and vim.lsp.completion.enable then vim.lsp.completion.enable(true, client.id, buf) end
  local function done()
    local item = vim.tbl_get(vim.v.completed_item, 'user_data', 'nvim', 'lsp', 'completion_item') or {}
    local word, text = vim.v.completed_item.word or '', vim.tbl_get(item, 'textEdit', 'newText') or ''
    local row, col = unpack(api.nvim_win_get_cursor(0))
    local line = api.nvim_get_current_line():gsub('%z', '\n') -- A line end that was put into a line is a NUL there.
    local stands = word ~= '' and line:sub(col - #word + 1, col) == word
    if stands and text:find('\n') and vim.startswith(text, word) then put(row, col - #word, col, text) end
  end
  local group = api.nvim_create_augroup('qwen.source.' .. buf, {})
  api.nvim_create_autocmd('CompleteDone', { group = group, buffer = buf, callback = done })
end

--- Keys that do what a key did before it was ours: its map, under another name; else the key itself.
---@return string keys
---@return string mode Of nvim_feedkeys().
local function kept(name, key, before)
  if not before.lhs then return api.nvim_replace_termcodes(key, true, true, true), 'in' end
  local plug = ('<Plug>(qwen-before-%s)'):format(name)
  before.lhs, before.lhsraw, before.lhsrawalt = plug, api.nvim_replace_termcodes(plug, true, true, true), nil
  before.buffer = 0
  vim.fn.mapset('i', false, before)
  return before.lhsraw, 'im'
end

--- The default keys, each in front of what it did so far.
function M.map()
  for name, key in pairs(options.now.keys or {}) do
    local before = key and vim.fn.maparg(key, 'i', false, true)
    if key and not vim.startswith(before.desc or '', 'Qwen: ') then
      local keys, mode = kept(name, key, before)
      local function press() return ACTIONS[name]() or api.nvim_feedkeys(keys, mode, false) end
      vim.keymap.set('i', key, press, { desc = 'Qwen: ' .. name })
    end
  end
end

function M.register()
  for name, action in pairs(ACTIONS) do
    vim.keymap.set('i', ('<Plug>(qwen-%s)'):format(name), function() action() end, { desc = 'Qwen: ' .. name })
  end
  local group = api.nvim_create_augroup('qwen.inline', {})
  local function on(events, open, pattern)
    api.nvim_create_autocmd(events, { group = group, pattern = pattern, callback = function() M.menu(open) end })
  end
  on('CompleteChanged', true)
  on({ 'CompleteDone', 'InsertEnter' }, false)
  on('User', true, { 'BlinkCmpMenuOpen', 'QwenMenuOpen' })
  on('User', false, { 'BlinkCmpMenuClose', 'QwenMenuClose' })
end

return M
