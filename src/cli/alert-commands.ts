import { Command, Option } from 'commander';
import { ALERT_SUBJECTS } from '../core/alert.ts';
import type { AlertOptions, PreviewOptions } from './commands/alerts.ts';
import { type CommonOptions, common, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** `alerts list`, `preview` and `test`. */
export function alertsCommand(terminal: Terminal): Command {
  const root = new Command('alerts')
    .description('list the rules that tell somebody of what is logged, and try them')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText('after', example('tasktrail alerts list', 'tasktrail alerts preview "level:error" --threshold 5'));
  for (const command of [list, preview, test]) root.addCommand(common(command(terminal)));
  return root;
}

function list(terminal: Terminal): Command {
  return new Command('list')
    .description('list the alerts of the server, with how they are doing')
    .option('--json', 'one JSON object a line, as the API gives them')
    .addHelpText('after', example('tasktrail alerts list', 'tasktrail alerts list --json | jq .state'))
    .action(async (options: CommonOptions & AlertOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/alerts.ts');
      terminal.exitCode = await commands.list(terminal, config, options);
    });
}

function preview(terminal: Terminal): Command {
  return new Command('preview')
    .description('say how often a rule would have fired on what is stored')
    .argument('<query>', 'what it looks for, see docs/query.md')
    .addOption(new Option('--on <subject>', 'count lines or tasks (default lines)').choices(ALERT_SUBJECTS))
    .option('--threshold <count>', 'fire when so many matched (default 1)')
    .option('--window <seconds>', 'within this time (default 300)')
    .option('--cool-down <seconds>', 'not again for so long (default 900)')
    .option('--from <time>', 'from this time on (ISO 8601 or Unix ms; default 7 days ago)')
    .option('--to <time>', 'before this time (default now)')
    .option('--json', 'as JSON, as the API gives it')
    .addHelpText(
      'after',
      example(
        'tasktrail alerts preview "level:error" --threshold 5 --window 60',
        'tasktrail alerts preview "status:failed agent:planner" --on task --cool-down 0',
      ),
    )
    .action(async (query: string, options: CommonOptions & PreviewOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/alerts.ts');
      terminal.exitCode = await commands.preview(terminal, config, query, options);
    });
}

function test(terminal: Terminal): Command {
  return new Command('test')
    .description('send a notice that says that it is a test; fails when a target does not take it')
    .argument('<id>', 'the alert')
    .option('--json', 'one JSON object a target, as the API gives it')
    .addHelpText('after', example('tasktrail alerts test many-errors'))
    .action(async (id: string, options: CommonOptions & AlertOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/alerts.ts');
      terminal.exitCode = await commands.test(terminal, config, id, options);
    });
}
