--- A text to read, in a window of its own.
local api = vim.api
local M = {}
local LOOK = { wrap = true, linebreak = true, breakindent = true, conceallevel = 2, concealcursor = 'nc',
  number = false, spell = false,
  relativenumber = false, signcolumn = 'no', list = false, cursorline = false, fillchars = 'eob: ',
  winhighlight = 'NormalFloat:QwenFloat,FloatBorder:QwenBorder,FloatTitle:QwenTitle' }

---@class qwen.Page
---@field buf integer
---@field win? integer
---@field follow? boolean Whether the window stays at the end of the text.
local Page = {}
Page.__index = Page

---@param name string An older page of this name goes.
---@param filetype string
---@return qwen.Page
function M.new(name, filetype)
  name = 'qwen://' .. name
  api.nvim_buf_delete(vim.fn.bufadd(name), { force = true })
  local page = setmetatable({ buf = api.nvim_create_buf(false, true) }, Page)
  api.nvim_buf_set_name(page.buf, name)
  vim.bo[page.buf].modifiable, vim.bo[page.buf].filetype = false, filetype
  page:key('q', 'close', function() page:close() end)
  return page
end

function Page:key(key, what, act)
  vim.keymap.set('n', key, act, { buffer = self.buf, nowait = true, desc = 'Qwen: ' .. what })
end

function Page:is_open()
  return self.win and api.nvim_win_is_valid(self.win) and api.nvim_win_get_buf(self.win) == self.buf
end

function Page:close()
  if self:is_open() then pcall(api.nvim_win_close, self.win, true) end
end

---@private
---@param act fun(last: integer) Gets the last line, from 0.
function Page:change(act)
  if not api.nvim_buf_is_valid(self.buf) then return end
  local at, last = self:is_open() and api.nvim_win_get_cursor(self.win), api.nvim_buf_line_count(self.buf)
  -- Whoever reads further up stays there.
  local follows = self.follow and at and (api.nvim_get_current_win() ~= self.win or at[1] == last)
  vim.bo[self.buf].modifiable = true
  act(last - 1)
  vim.bo[self.buf].modifiable, vim.bo[self.buf].modified = false, false
  last = api.nvim_buf_line_count(self.buf)
  if at then api.nvim_win_set_cursor(self.win, follows and { last, 0 } or { math.min(at[1], last), at[2] }) end
end

---@param lines string[] In place of the lines from `first` to `last`; of all.
function Page:set(lines, first, last)
  self:change(function() api.nvim_buf_set_lines(self.buf, first or 0, last or -1, false, lines) end)
end

--- Goes on where the text ends.
---@param text string
function Page:append(text)
  self:change(function(last)
    local width = #api.nvim_buf_get_lines(self.buf, last, last + 1, false)[1]
    api.nvim_buf_set_text(self.buf, last, width, last, width, vim.split(text, '\n', { plain = true }))
  end)
end

---@param shape? vim.api.keyset.win_config A split when there is none.
---@param enter? boolean
function Page:open(shape, enter)
  if not self:is_open() then
    self.win = api.nvim_open_win(self.buf, false, shape or { split = vim.o.columns >= 140 and 'right' or 'below' })
    for name, value in pairs(LOOK) do vim.wo[self.win][0][name] = value end
  end
  if enter then api.nvim_set_current_win(self.win) end
end

--- A finished text at once.
---@param name string
---@param text string
function M.show(name, text)
  local page = M.new(name, 'markdown')
  page:set(vim.split(vim.trim(text), '\n', { plain = true }))
  page:open(nil, true)
end

return M
