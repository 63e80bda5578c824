--- `:Qwen`, its subcommands and their completion.
local api, client, pages, runs = vim.api, require('qwen.client'), require('qwen.page'), require('qwen.run')
local M = {}
local FEATURES = { 'completion', 'explain', 'action', 'agent' }

local function say(...) require('qwen').say(...) end
local function uri() return vim.uri_from_bufnr(0) end

--- Tells later whether the person has done nothing since: then what they wait for may come to the front.
---@return fun(): boolean
local function stillness()
  local function now()
    return { api.nvim_get_mode().mode, api.nvim_get_current_win(), api.nvim_win_get_cursor(0), vim.b.changedtick }
  end
  local before = now()
  return function() return vim.deep_equal(before, now()) end
end

local function landed(told)
  local back = told.applied and told.run and told.undone == nil and '  (:Qwen undo)' or ''
  say(told.text .. back, told.problem and vim.log.levels.WARN)
end

local function review(run, changes)
  if runs.last then runs.last.page:close() end
  require('qwen.review').open(changes, function(paths)
    if #paths == 0 then return say('nothing was ticked, and nothing changed') end
    client.command('qwen.landEdit', { run = run, files = #paths < #changes and paths or nil }, landed)
  end)
end

---@param shown string
---@param argument table
local function edit(shown, argument)
  local run = runs.begin(shown, stillness())
  argument.uri = uri()
  local function over(text, style)
    run.over = true
    runs.drop(run.run or '')
    runs.line(run, text, style)
    runs.redraw()
  end
  client.command('qwen.edit', argument, function(told)
    if not told.run then -- A selection, which has landed by now.
      over('', 'Output')
      run.page:close()
      return landed(told)
    end
    run.run, run.changes = told.run, #told.changes > 0 and told.changes or nil
    over(told.text .. (run.changes and ': Enter here, or :Qwen review' or ''), 'Title')
    if not run.changes then return end
    if run.still() or api.nvim_get_current_win() == run.page.win then return review(run.run, run.changes) end
    say(told.text .. '  (:Qwen review)')
  end, function(message)
    run.doing = 'Failed'
    over(message, 'Problem')
    if not run.run then run.page:close() end -- It did not even begin, and the message is there as it is.
  end, function(params)
    run.run = params.run
    runs.event(run, params.event)
  end)
end

--- What can be done with a run of the list.
local function choose(run)
  local look = { prompt = run.task, format_item = function(act) return act.title end }
  vim.ui.select(run.acts, look, function(act)
    if not act then return end
    if act.command == 'qwen.edit' then return edit(run.task, act.argument) end
    client.command(act.command, act.argument, function(told)
      if told.markdown then return pages.show('run', told.markdown) end
      if told.changes then return review(run.run, told.changes) end
      landed(told)
    end)
  end)
end

---@class qwen.Call What was typed: `!`, what follows the subcommand, the lines before `:Qwen`.
---@field bang boolean
---@field rest string
---@field range? lsp.Range

--- Suggestions on or off, in this buffer or everywhere.
local function switch(call, on)
  vim[call.bang and 'g' or 'b'].qwen_enabled = on
  client.start_all()
  vim.iter(api.nvim_list_bufs()):each(require('qwen.inline').sync)
  vim.cmd.redrawstatus({ bang = true })
end

---@type table<string, fun(call: qwen.Call)>
local COMMANDS = {
  explain = function(call)
    local page = pages.new('explain ' .. vim.fn.expand('%:t'), 'markdown')
    local function failed(message) page:append(message) end
    local function take(params) page:append(params.text) end
    local stop = client.command('qwen.explainFile', { uri = uri(), range = call.range }, nil, failed, take)
    page:open(nil, true)
    api.nvim_create_autocmd('BufWinLeave', { buffer = page.buf, once = true, callback = function() stop() end })
  end,
  edit = function(call)
    local selection = call.range and not call.bang
    local function begin(task)
      if not task or vim.trim(task) == '' then return end
      local argument = { task = task, range = call.range, scope = selection and 'selection' or nil }
      if not selection then argument.apply = false end
      edit(task, argument)
    end
    if call.rest ~= '' then return begin(call.rest) end
    vim.ui.input({ prompt = selection and 'Change the selection: ' or 'Task for Qwen: ' }, begin)
  end,
  review = function()
    local run = runs.last
    if run and run.changes then return review(run.run, run.changes) end
    say('nothing waits to be looked at. :Qwen runs has what was done before')
  end,
  view = function() runs.open(true) end,
  answer = function() runs.answer() end,
  context = function(call)
    local position = vim.lsp.util.make_position_params(0, (client.get() or {}).offset_encoding or 'utf-16').position
    local form = call.bang and 'html' or 'text'
    local argument = { uri = uri(), position = position, form = form, feature = call.rest ~= '' and call.rest or nil }
    client.command('qwen.showContext', argument, function(told)
      if told.text then pages.show('context', told.text) end
    end)
  end,
  status = function()
    client.command('qwen.status', {}, function(told)
      say(vim.trim(told.state.text .. ' ' .. told.state.spent))
    end)
  end,
  why = function()
    client.command('qwen.whySuggestion', { uri = uri() }, function(told) pages.show('why', told.markdown) end)
  end,
  undo = function(call)
    client.command('qwen.undoEdit', call.rest ~= '' and { run = call.rest } or { uri = uri() }, landed)
  end,
  runs = function(call)
    local function form(run)
      return ('%s  %s  %s'):format(run.begun:sub(1, 16):gsub('T', ' '), run.label, run.task)
    end
    client.command('qwen.agentRuns', call.bang and {} or { uri = uri() }, function(list)
      if #list == 0 then return say('no runs yet. :Qwen edit begins one') end
      vim.ui.select(list, { prompt = 'Runs', format_item = form }, function(run) return run and choose(run) end)
    end)
  end,
  stop = function(call)
    client.command('qwen.stopEdit', call.bang and {} or { uri = uri() }, function(told)
      say(told.text .. (#told.stopped > 0 and '  (:Qwen runs goes on with it)' or ''))
    end)
  end,
  restart = function() client.restart() end,
  log = function() vim.cmd('split +$ ' .. vim.fn.fnameescape(vim.lsp.get_log_path())) end,
  enable = function(call) switch(call, true) end,
  disable = function(call) switch(call, false) end,
}

function M.register()
  local names = vim.tbl_keys(COMMANDS)
  table.sort(names)
  local function complete(lead, before)
    local from = before:match('Qwen!?%s+context%s') and FEATURES or before:match('Qwen!?%s+%S*$') and names or {}
    return vim.tbl_filter(function(name) return vim.startswith(name, lead) end, from)
  end
  api.nvim_create_user_command('Qwen', function(typed)
    local name, rest = typed.args:match('^(%S*)%s*(.-)%s*$')
    local act = COMMANDS[name]
    if not act then return say('there are: ' .. table.concat(names, ', '), vim.log.levels.ERROR) end
    local first, last = { line = typed.line1 - 1, character = 0 }, { line = typed.line2, character = 0 }
    act({ bang = typed.bang, rest = rest, range = typed.range > 0 and { start = first, ['end'] = last } or nil })
  end, { nargs = '+', range = true, bang = true, complete = complete, desc = 'Qwen' })
end

return M
