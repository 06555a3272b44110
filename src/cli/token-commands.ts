import { Command, Option } from 'commander';
import { ROLES } from '../core/credential.ts';
import type { CreateOptions, TokenOptions } from './commands/tokens.ts';
import { type CommonOptions, common, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** `token create`, `list` and `revoke`. */
export function tokenCommand(terminal: Terminal): Command {
  const root = new Command('token')
    .description('make, list and revoke what programs and people show to be let in')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText('after', example('tasktrail token create ci --role writer', 'tasktrail token list'));
  for (const command of [create, list, revoke]) root.addCommand(common(command(terminal)));
  return root;
}

function create(terminal: Terminal): Command {
  return new Command('create')
    .description('make a token and print it, this once')
    .argument('<name>', 'whose it is')
    .addOption(new Option('--role <role>', 'what it may').choices(ROLES).default('reader'))
    .option('--expires-in-days <days>', 'how long it holds (default until it is revoked)')
    .option('--json', 'as JSON, as the API gives it')
    .addHelpText(
      'after',
      example(
        'tasktrail token create ci --role writer --expires-in-days 90',
        'export TASKTRAIL_TOKEN=$(tasktrail token create me --role admin)',
      ),
    )
    .action(async (name: string, options: CommonOptions & CreateOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/tokens.ts');
      terminal.exitCode = await commands.create(terminal, config, name, options);
    });
}

function list(terminal: Terminal): Command {
  return new Command('list')
    .description('list the tokens, without what they are')
    .option('--json', 'one JSON object a line, as the API gives them')
    .addHelpText('after', example('tasktrail token list', 'tasktrail token list --json | jq -r .last_used_at'))
    .action(async (options: CommonOptions & TokenOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/tokens.ts');
      terminal.exitCode = await commands.list(terminal, config, options);
    });
}

function revoke(terminal: Terminal): Command {
  return new Command('revoke')
    .description('revoke a token at once, with the sessions that were got for it')
    .argument('<id>', 'its id, as the list shows it')
    .addHelpText('after', example('tasktrail token revoke tok_Jc0pR2uUq1xk'))
    .action(async (id: string, options: CommonOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/tokens.ts');
      terminal.exitCode = await commands.revoke(terminal, config, id);
    });
}
