import { describe, expect, it } from 'vitest';
import { readEnvironment } from './config.js';
import { createProgram } from './create-program.js';

function parse(...args: string[]): Promise<number> {
  const program = createProgram(readEnvironment({}));
  for (const command of [program.command, ...program.command.commands, ...program.command.commands.flatMap(({ commands }) => commands)])
    command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  return program.run(['node', 'portcullis', ...args]);
}

describe('command line', () => {
  it.each([
    [['up', '--nodes', '0'], 'whole number from 1 to 40'],
    [['up', '--nodes', 'two'], 'whole number from 1 to 40'],
    [['up', '--port-base', '70000'], 'whole number from 1024 to 65400'],
    [['up', 'now'], 'too many arguments'],
    [['why', 'a', 'no-colon'], 'must be server:tool'],
    [['why', 'a', 's:t', '--arguments', '[1]'], 'must be a JSON object'],
    [['add', 'file:///etc/passwd', '--agent', 'a'], 'must be an http(s) URL'],
    [['add', 'http://x', '--agent', 'No Slug'], 'must be 1–32 characters'],
    [['add', 'http://x'], "required option '--agent <slug>'"],
    [['add', 'http://x', '--agent', 'a', '--tools', 'a,,b'], 'names separated by commas'],
    [['add', 'http://x', '--agent', 'a', '--transport', 'stdio'], 'Allowed choices are auto, streamable-http, sse'],
    [['requests', '--status', 'lost'], 'must be one of open, approved'],
    [['approve-request', 'x'], "required option '--reason <text>'"],
    [['approve-request', 'x', '--reason', 'r', '--for', 'ever'], 'a number and m, h or d'],
    [['approve-request', 'x', '--reason', 'r', '--break-glass', 'short'], 'at least ten characters'],
    [['revert', 'latest', '--reason', 'x'], 'must be the number of a revision'],
    [['revert', '7'], "required option '--reason <text>'"],
    [['policy', 'import'], "missing required argument 'file'"],
    [['policy', 'preview', 'x', '--days', '99'], 'whole number from 0 to 90'],
    [['drift', '--days', 'all'], 'whole number of days'],
    [['approve', 'github'], "required option '--reason <text>'"],
    [['kill', 'agent', 'x'], "required option '--reason <text>'"],
    [['kill', 'node', 'x', '--reason', 'r'], 'Allowed choices are agent, server'],
    [['revive', 'agent', 'x'], "required option '--reason <text>'"],
    [['audit', 'show', 'x'], 'must be the id of a call'],
    [['audit', 'search', '--from', 'soon'], 'a time, or a number and m, h or d'],
    [['audit', 'search', '--decision', 'maybe'], 'Allowed choices are allow, deny, none'],
    [['audit', 'export', '--format', 'xls'], 'Allowed choices are ndjson, csv'],
    [['task-key', 'a'], "missing required argument 'task'"],
    [['task-key', 'a', 'no good'], 'must be 1–128 characters'],
    [['task-key', 'a', 't', '--for', '25h'], 'a day at most'],
    [['task-key', 'a', 't'], 'name servers or tools'],
    [['task-key', 'a', 't', '--tools', 'no-colon'], 'must be server:tool'],
    [['audit', 'replay', '0198c1f0-0000-7000-8000-000000000001'], "required option '--reason <text>'"],
    [['capture', 'set', 'crm', '--results', 'none'], "required option '--reason <text>'"],
    [['capture', 'set', '--results', 'some', '--reason', 'r'], 'Allowed choices are full, redacted, hashed, none'],
    [['capture', 'set', 'crm', '--redact-arguments', '$.ssn', '--reason', 'r'], 'is no JSON pointer'],
    [['capture', 'clear', '--reason', 'r'], "missing required argument 'target'"],
    [['answers', 'set', 'crm', '--secrets', '--reason', 'r'], "required option '--action <what>'"],
    [['answers', 'set', 'crm', '--action', 'hide', '--secrets', '--reason', 'r'], 'Allowed choices are log, redact, block'],
    [['answers', 'set', 'crm', '--action', 'block', '--reason', 'r'], 'Say what to look for'],
    [['answers', 'set', 'crm', '--action', 'block', '--paths', '$.ssn', '--reason', 'r'], 'is no JSON pointer'],
    [['answers', 'clear', 'crm', '--reason', 'r', '--break-glass', 'short'], 'at least ten characters'],
    [['answers', 'clear', 'crm'], "required option '--reason <text>'"],
    [['credential', 'set'], "missing required argument 'server'"],
    [['credential', 'finish', 'x'], "missing required argument 'address'"],
    [['rotate-key', 'all'], 'Allowed choices are signing, sealing'],
    [['fly'], "unknown command 'fly'"],
  ])('refuses %j with what is wrong', async (args, message) => {
    await expect(parse(...args)).rejects.toThrow(message);
  });

  it('approves nothing unasked where there is no terminal to ask at', async () => {
    await expect(parse('add', 'http://127.0.0.1:1/mcp', '--agent', 'a')).rejects.toThrow('Give --yes');
    await expect(parse('approve', 'github', '--reason', 'r')).rejects.toThrow('Give --yes');
  });
});
