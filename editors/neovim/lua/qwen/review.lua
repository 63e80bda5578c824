--- The changes of a run before they land: files with ticks above, the diff of the one under the cursor below.
local api, pages = vim.api, require('qwen.page')
local M = {}
local space = api.nvim_create_namespace('qwen.review')
local LETTERS = { created = 'A', changed = 'M', deleted = 'D', moved = 'R' }

---@class qwen.Change `changes[]` of docs/protocol.md: path, kind, from, added, removed, diff.

---@param changes qwen.Change[]
---@param land fun(paths: string[]) Called with what is ticked, unless the person leaves.
function M.open(changes, land)
  local list, diff, ticked = pages.new('changes', 'qwen'), pages.new('diff', 'diff'), {}
  vim.cmd('tab split')
  local tab, below = api.nvim_get_current_tabpage(), api.nvim_get_current_win()
  api.nvim_win_set_buf(below, diff.buf)
  diff.win = below
  list:open({ split = 'above', height = math.min(#changes + 1, 8) }, true)
  vim.wo[list.win].cursorline, vim.wo[list.win].winfixheight, vim.wo[below].fillchars = true, true, 'eob: '

  local function draw()
    local count, lines = 0, {}
    for number, change in ipairs(changes) do
      count = count + (ticked[number] and 1 or 0)
      local name = change.from and change.from .. ' → ' .. change.path or change.path
      lines[number] = ('[%s] %s %s'):format(ticked[number] and 'x' or ' ', LETTERS[change.kind], name)
    end
    list:set(lines)
    for number, change in ipairs(changes) do
      local sums = { { '  +' .. change.added, 'QwenAdded' }, { ' −' .. change.removed, 'QwenRemoved' } }
      api.nvim_buf_set_extmark(list.buf, space, number - 1, 0, { id = number, virt_text = sums })
    end
    local keys = '%%#QwenTitle# Enter: land %d of %d %%#QwenKeys# Space: tick  a: all  n: none  Tab: the diff  q: leave'
    vim.wo[list.win].winbar = keys:format(count, #changes)
  end

  local function under() return api.nvim_win_get_cursor(list.win)[1] end

  local function show()
    diff:set(vim.split(changes[under()].diff, '\n', { trimempty = true }))
    vim.wo[below].winbar = '%#QwenTitle# ' .. changes[under()].path:gsub('%%', '%%%%')
    api.nvim_win_set_cursor(below, { 1, 0 })
  end

  local function tick(value, only)
    for number in ipairs(changes) do
      if not only or number == only then ticked[number] = value end
    end
    draw()
  end

  local function leave()
    if api.nvim_tabpage_is_valid(tab) then vim.cmd.tabclose(api.nvim_tabpage_get_number(tab)) end
  end

  for _, page in ipairs({ list, diff }) do
    page:key('<Space>', 'tick', function() tick(not ticked[under()], under()) end)
    page:key('a', 'tick all', function() tick(true) end)
    page:key('n', 'tick none', function() tick(false) end)
    page:key('<Tab>', 'list or diff', function() api.nvim_set_current_win(page == list and below or list.win) end)
    page:key('q', 'leave', leave)
    page:key('<CR>', 'land', function()
      local paths = {}
      for number, change in ipairs(changes) do
        paths[#paths + 1] = ticked[number] and change.path or nil
      end
      leave()
      land(paths)
    end)
  end
  tick(true)
  show()
  api.nvim_create_autocmd('CursorMoved', { buffer = list.buf, callback = show })
end

return M
