import { ANSWER_BYTES_MAX, AnswerAction } from '@portcullis/contracts/answer-rules';
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type Connection, type ConnectionOptions } from '../connection.js';
import { changeServer, placeOf, pointers, withTarget } from '../server-target.js';
import { wholeNumber } from '../whole-number.js';
import { withBreakGlass, withConnection } from '../with-connection.js';
import { changeAnswerRules, clearAnswerRules, type AnswerRule } from './change-answer-rules.js';
import { describeAnswerRules } from './describe-answer-rules.js';

interface SetFlags extends ConnectionOptions {
  action: AnswerAction;
  agents?: string[];
  secrets?: true;
  texts?: string[];
  paths?: string[];
  bytesMax?: number;
  reason: string;
}

type ClearFlags = ConnectionOptions & { action?: AnswerAction; reason: string };

/** `portcullis answers`: what agents may get of what servers answer. */
export function addAnswerRuleCommands(program: Command, environment: Environment, print: (text: string) => void): void {
  const answers = program
    .command('answers')
    .description('What agents may get of what a server answers: secrets, texts or places redacted or blocked.');
  const show = answers
    .command('show')
    .description('Tell what is looked for in the answers of a server.')
    .argument('<server>', 'the server, by slug or id');
  withConnection(show).action(async (server: string, flags: ConnectionOptions) => {
    print(await told((await connect(flags, environment)).api, server));
  });
  const set = answers
    .command('set')
    .description('Look for something in answers from now on: in the place of the rule with the same target, agents and action, if there is one.');
  withBreakGlass(withRule(withTarget(set, '<target>'))).action(async (target: string, flags: SetFlags) => {
    const { server, names = '*' } = placeOf(target);
    const rule = ruleOf(names, flags);
    const { api } = await connect(flags, environment);
    await changeServer(api, server, ({ answerRules }) => ({
      answerRules: changeAnswerRules(answerRules, rule, flags.bytesMax),
      reason: flags.reason,
    }));
    print(await told(api, server));
  });
  const clear = answers.command('clear').description('End rules: all of a server, or those for just this name or glob.');
  withTarget(clear, '<target>').addOption(actionOption('only rules that do this')).requiredOption('--reason <text>', 'why, for the record');
  withBreakGlass(clear).action(async (target: string, { action, reason, ...flags }: ClearFlags) => {
    const { server, names } = placeOf(target);
    const { api } = await connect(flags, environment);
    await changeServer(api, server, ({ answerRules }) => ({ answerRules: clearAnswerRules(answerRules, names, action), reason }));
    print(await told(api, server));
  });
}

const actionOption = (what: string): Option => new Option('--action <what>', what).choices(AnswerAction.options);

const withRule = (command: Command): Command =>
  command
    .addOption(actionOption('what becomes of an answer in which something is found').makeOptionMandatory())
    .option('--agents <slugs...>', 'for these agents alone; * stands for any characters')
    .option('--secrets', 'look for what is taken for a secret')
    .option('--texts <texts...>', 'look for these texts, in which one * stands for characters without blanks and quotes')
    .option('--paths <pointers...>', 'look for these places in the result, such as /structuredContent/customer/ssn', pointers)
    .option('--bytes-max <n>', 'refuse longer answers of the server where a rule redacts or blocks', wholeNumber(1024, ANSWER_BYTES_MAX))
    .requiredOption('--reason <text>', 'why, for the record');

function ruleOf(names: string, { action, agents, secrets, texts, paths }: SetFlags): AnswerRule {
  if (secrets === undefined && texts === undefined && paths === undefined)
    throw new CliError('Say what to look for: --secrets, --texts or --paths; --help tells how.');
  return { names: [names], ...(agents && { agents }), action, ...(secrets && { secrets }), ...(texts && { texts }), ...(paths && { paths }) };
}

async function told(api: Connection['api'], server: string): Promise<string> {
  const { slug, answerRules } = await api.servers.read(server);
  return describeAnswerRules(slug, answerRules).join('\n');
}
