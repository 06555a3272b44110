import { Command, Option } from 'commander';
import { ANALYTICS_GROUPS } from '../core/analytics.ts';
import { TrailError } from '../core/error.ts';
import { actCommands } from './act-commands.ts';
import { alertsCommand } from './alert-commands.ts';
import { auditCommand } from './audit-command.ts';
import type { LogsOptions } from './commands/logs.ts';
import type { PruneOptions } from './commands/prune.ts';
import type { RunOptions } from './commands/run.ts';
import type { StatsOptions } from './commands/stats.ts';
import type { TasksOptions } from './commands/tasks.ts';
import { type CommonOptions, common, configOf, example } from './common.ts';
import { fileCommands } from './file-commands.ts';
import { filterOptions } from './filter-options.ts';
import { version } from './package.ts';
import { patternCommands } from './pattern-commands.ts';
import { redactCommand } from './redact-commands.ts';
import { redisCommand } from './redis-commands.ts';
import { searchCommand } from './search-command.ts';
import { SETTINGS } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { tokenCommand } from './token-commands.ts';
import { webhookCommand } from './webhook-commands.ts';

type ServeOptions = CommonOptions & Readonly<Record<string, unknown>>;

/**
 * The command line as commander knows it. What a command does is loaded only when it is called, so that help is quick.
 * The command sets the terminal's exit code.
 */
export function program(terminal: Terminal): Command {
  const root = new Command('tasktrail')
    .description('The flight recorder for AI-agent runs and background jobs')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows how it is used)');
  const commands = [
    serve(terminal),
    run(terminal),
    logs(terminal),
    searchCommand(terminal),
    ...patternCommands(terminal),
    tasks(terminal),
    stats(terminal),
    ...actCommands(terminal),
    ...fileCommands(terminal),
    prune(terminal),
    auditCommand(terminal),
  ];
  for (const command of commands) root.addCommand(common(command));
  root.addCommand(webhookCommand(terminal));
  root.addCommand(alertsCommand(terminal));
  root.addCommand(tokenCommand(terminal));
  root.addCommand(redactCommand(terminal));
  root.addCommand(redisCommand(terminal));
  root.addHelpText(
    'after',
    example('tasktrail serve', 'tasktrail run -- npm test', 'tasktrail logs task-01J… --follow', 'tasktrail tasks'),
  );
  return root;
}

function serve(terminal: Terminal): Command {
  const command = new Command('serve').description('serve the page and the API, and own the data directory');
  for (const { flag, meaning, shownDefault, name } of Object.values(SETTINGS)) {
    if (flag) command.option(flag, `${meaning.replaceAll('`', '')} (${name}, default ${shownDefault})`);
  }
  command.addHelpText(
    'after',
    example(
      'tasktrail serve',
      'tasktrail serve --port 9000 --data-dir /var/lib/tasktrail',
      'TASKTRAIL_PORT=0 tasktrail serve',
    ),
  );
  return command.action(async (options: ServeOptions) => {
    const config = configOf(options, flagsOf(options));
    const commands = await import('./commands/serve.ts');
    terminal.exitCode = await commands.serve(terminal, config);
  });
}

function run(terminal: Terminal): Command {
  return new Command('run')
    .description('run a command and keep its trail; its output and exit code pass through')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('--title <title>', 'title of the task (default: the command line)')
    .option('--source <source>', 'where the task comes from', 'cli')
    .option('--task <id>', 'report into this task; made if unknown, opened again if ended')
    .addOption(new Option('--agent <agent>', 'read what it prints as this agent').choices(['claude', 'generic']))
    .passThroughOptions()
    .addHelpText(
      'after',
      example(
        'tasktrail run -- npm test',
        'tasktrail run --title "nightly build" -- make all',
        'tasktrail run --agent claude -- claude -p --output-format stream-json --verbose "fix the bug"',
        'tasktrail run -- sh -c "a | b"',
      ),
    )
    .action(async (words: string[], options: CommonOptions & RunOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/run.ts');
      terminal.exitCode = await commands.run(terminal, config, words, options);
    });
}

function logs(terminal: Terminal): Command {
  const command = new Command('logs')
    .description('print the lines of a task, oldest first')
    .argument('<id>', 'the task')
    .option('-f, --follow', 'go on with new lines until the task ends')
    .option('-n, --tail <count>', 'only the last lines')
    .option('-q, --query <query>', 'only lines that match, as in "level>=warning timeout -retry"');
  return filterOptions(command)
    .addOption(new Option('--json', 'one JSON object a line, as the API gives them').conflicts('raw'))
    .option('--raw', 'messages as they came, with their escape sequences')
    .addOption(new Option('--agent', 'for an agent: fenced, as data').conflicts(['json', 'raw']))
    .addHelpText(
      'after',
      example(
        'tasktrail logs ID --follow',
        'tasktrail logs ID --min-level warning --tail 20',
        `tasktrail logs ID --query 'level:error after:-2h'`,
        'tasktrail logs ID --json | jq .message',
        'tasktrail logs ID --tail 200 --agent',
      ),
    )
    .action(async (id: string, options: CommonOptions & LogsOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/logs.ts');
      terminal.exitCode = await commands.logs(terminal, config, id, options);
    });
}

function tasks(terminal: Terminal): Command {
  return new Command('tasks')
    .description('list tasks, newest first')
    .option('--status <statuses>', 'only these statuses, by comma')
    .option('--source <sources>', 'only these sources, by comma')
    .option('-q, --query <query>', 'only tasks that match, as in "status:failed cost>1 nightly"')
    .option('--limit <count>', 'how many', '50')
    .option('--json', 'one JSON object a line, as the API gives them')
    .addHelpText('after', example('tasktrail tasks', 'tasktrail tasks --status failed,timed_out --limit 10'))
    .action(async (options: CommonOptions & TasksOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/tasks.ts');
      terminal.exitCode = await commands.tasks(terminal, config, options);
    });
}

function stats(terminal: Terminal): Command {
  return new Command('stats')
    .description('sum up tasks: runs, success, cost, tokens, durations; or count the lines of one')
    .argument('[id]', 'the task')
    .option('--from <time>', 'tasks made from then on: a time, or how long ago, -7d (default: the last 30 days)')
    .option('--to <time>', 'tasks made before then (default: the end of today, UTC)')
    .option('--group-by <what>', `${ANALYTICS_GROUPS.join(', ')} (default: day)`)
    .addOption(new Option('--csv', 'as a table for spreadsheets').conflicts('json'))
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      example(
        'tasktrail stats',
        'tasktrail stats --from=-7d --group-by agent',
        'tasktrail stats --from 2026-01-01 --to 2026-02-01 --group-by model --csv > january.csv',
        "tasktrail stats --json | jq '.top_failures[]'",
        'tasktrail stats ID',
      ),
    )
    .action(async (id: string | undefined, options: CommonOptions & StatsOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/stats.ts');
      terminal.exitCode = await commands.stats(terminal, config, id, options);
    });
}

function prune(terminal: Terminal): Command {
  return new Command('prune')
    .description('delete ended tasks that are too old or too much; what runs or is pinned stays')
    .option('--dry-run', 'only list what would go')
    .option('--older-than <days>', 'what ended so many days ago (default: as set, see TASK_LOGS_RETENTION_DAYS)')
    .option('--max-bytes <bytes>', 'what ended first, until the rest fits (default: as set, see TASK_LOGS_MAX_BYTES)')
    .option('--yes', 'do not ask')
    .option('--json', 'one JSON object a task, as the API gives it')
    .addHelpText(
      'after',
      example(
        'tasktrail prune --dry-run',
        'tasktrail prune --older-than 7 --yes',
        'tasktrail prune --max-bytes 10000000000 --dry-run --json | jq .task_id',
      ),
    )
    .action(async (options: CommonOptions & PruneOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/prune.ts');
      terminal.exitCode = await commands.prune(terminal, config, options);
    });
}

/** Flags of `serve` under their setting's key, which is the flag's name as commander gives it. */
function flagsOf(options: ServeOptions): Readonly<Record<string, unknown>> {
  const flags: Record<string, unknown> = {};
  for (const key of Object.keys(SETTINGS)) {
    // Somebody who types an empty value means something; only in the environment does it count as not given.
    if (options[key] === '' && key !== 'logFile')
      throw new TrailError('invalid_usage', `${key}: expected a value, got an empty one`);
    flags[key] = options[key];
  }
  return flags;
}
