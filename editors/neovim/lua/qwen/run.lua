--- An agent run as it goes, in a float that never takes the focus, and the questions that the server asks.
local api = vim.api
local M = {}
local space = api.nvim_create_namespace('qwen.run')

---@class qwen.Question The parameters of `qwen/approve` or `qwen/ask`, and
---@field give fun(text: string) Gives the answer.
local questions = {} ---@type qwen.Question[]

---@class qwen.Run
---@field task string
---@field page qwen.Page
---@field run? string The server's name of it.
---@field changes? qwen.Change[]
---@field still fun(): boolean Whether the person has done nothing else since it began.
M.last = nil ---@type qwen.Run?

local function shape(run)
  local where, wide, high = require('qwen.options').now.view, vim.o.columns, vim.o.lines - vim.o.cmdheight - 1
  local right = where == 'right' or (where == 'auto' and wide >= 120)
  local width = right and math.max(40, math.floor(wide * 0.4)) or wide - 2
  local question, keys = questions[1], run.over and 'q: close' or 'Ctrl-C: stop  q: hide'
  if run.changes then keys = 'Enter: look at the changes  q: close' end
  if question then
    keys = vim.iter(question.choices):map(function(choice) return choice.key .. ': ' .. choice.text end):join('  ')
  end
  local share = question and question.diff and 0.7 or 0.4
  return {
    relative = 'editor', anchor = 'SE', row = high, col = wide, width = width, zindex = 40, border = 'rounded',
    height = right and high - 3 or math.max(6, math.floor(high * share)),
    title = { { (' Qwen: %s '):format(vim.fn.strcharpart(run.task:gsub('%s+', ' '), 0, width - 10)), 'QwenTitle' } },
    footer = { { (' %s  '):format(run.doing), 'QwenOutput' },
      { keys .. ' ', question and 'QwenQuestion' or 'QwenKeys' } },
  }
end

---@param enter? boolean
function M.open(enter)
  if not M.last then return require('qwen').say('there was no run yet. :Qwen edit begins one') end
  M.last.page:open(shape(M.last), enter)
  M.redraw()
end

function M.redraw()
  if M.last and M.last.page:is_open() then api.nvim_win_set_config(M.last.page.win, shape(M.last)) end
end

local function mark(run, row, style)
  api.nvim_buf_set_extmark(run.page.buf, space, row, 0, { line_hl_group = 'Qwen' .. style })
end

--- Something that has lines of its own.
---@param text string
---@param style string
function M.line(run, text, style)
  local buf = run.page.buf
  if not api.nvim_buf_is_valid(buf) then return end
  local row = api.nvim_buf_line_count(buf) - 1
  local begun = api.nvim_buf_get_lines(buf, row, row + 1, false)[1] ~= ''
  run.page:append((begun and '\n' or '') .. text)
  run.said = false
  for at = begun and row + 1 or row, api.nvim_buf_line_count(buf) - 1 do mark(run, at, style) end
end

local function add(run, lines)
  for _, line in ipairs(lines) do M.line(run, line.text, line.style) end
end

--- The plan is above all else, in place of the one before.
local function plan(run, lines)
  run.page:set(vim.list_extend(vim.tbl_map(function(line) return line.text end, lines), { '' }), 0, run.plan)
  run.plan = #lines + 1
  for row, line in ipairs(lines) do mark(run, row - 1, line.style) end
end

---@param event table
function M.event(run, event)
  if not api.nvim_buf_is_valid(run.page.buf) then return end
  run.doing = event.doing ~= '' and event.doing or run.doing
  if event.event == 'said' then
    if not run.said then M.line(run, '', 'Float') end
    run.page:append(event.text)
    run.said = true
  elseif event.event == 'planned' then
    plan(run, event.lines)
  else
    add(run, event.lines)
  end
  M.redraw()
end

---@param task string
---@param still fun(): boolean
---@return qwen.Run
function M.begin(task, still)
  local page = require('qwen.page').new('run', 'markdown')
  page.follow = true
  page:key('<C-c>', 'stop', function() vim.cmd('Qwen stop') end)
  page:key('<CR>', 'look at the changes', function() vim.cmd('Qwen review') end)
  M.last = { task = task, page = page, still = still, plan = 0, doing = 'Working' }
  M.open()
  return M.last
end

--- Show the question that waits longest. Whoever is elsewhere is told, and stays there.
local function show()
  local question = questions[1]
  local run = M.last or M.begin(question.title, function() return false end)
  add(run, question.lines)
  for _, choice in ipairs(question.choices) do
    local function press() return questions[1] == question and question.give(choice.answer) end
    run.page:key(choice.key, choice.text, press)
  end
  M.open(question.kind == 'edit' and run.still())
  local first = api.nvim_buf_line_count(run.page.buf) - #question.lines + 1
  if question.diff then api.nvim_win_set_cursor(run.page.win, { first, 0 }) end
  api.nvim_win_call(run.page.win, function() vim.cmd('normal! ' .. (question.diff and 'zt' or 'zb')) end)
  if run.page.win == api.nvim_get_current_win() then return end
  require('qwen').say(question.title .. '  (:Qwen answer)', vim.log.levels.WARN)
end

--- `qwen/approve` and `qwen/ask`: wait for the person, as the server does.
---@async
---@param question qwen.Question
function M.ask(question)
  local waiter = coroutine.running()
  function question.give(text)
    if not vim.tbl_contains(questions, question) then return end
    questions = vim.tbl_filter(function(other) return other ~= question end, questions)
    M.redraw()
    if questions[1] then vim.schedule(show) end
    vim.schedule(function() coroutine.resume(waiter, { answer = text }) end)
  end
  questions[#questions + 1] = question
  if #questions == 1 then vim.schedule(show) end
  return coroutine.yield()
end

--- Answer from anywhere.
function M.answer()
  local question = questions[1]
  if not question then return require('qwen').say('nothing waits for an answer') end
  local function write()
    vim.ui.input({ prompt = question.title .. ' ' }, function(text) return text and question.give(text) end)
  end
  if #question.choices == 0 then return write() end
  local choices = vim.list_extend({}, question.choices)
  if question.free then choices[#choices + 1] = { text = 'another answer' } end
  local look = { prompt = question.title, format_item = function(choice) return choice.text end }
  vim.ui.select(choices, look, function(choice)
    if choice and not choice.answer then return write() end
    if choice then question.give(choice.answer) end
  end)
end

--- Nobody waits for an answer any more: the run is over, or the server.
---@param run? string
function M.drop(run)
  questions = vim.tbl_filter(function(question) return run and question.run ~= run end, questions)
  M.redraw()
end

return M
