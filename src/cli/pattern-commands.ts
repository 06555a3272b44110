import { Command } from 'commander';
import { PATTERNS, PATTERNS_MAX } from '../core/limits.ts';
import type { PatternOptions } from './commands/patterns.ts';
import { type CommonOptions, configOf, example } from './common.ts';
import { filterOptions } from './filter-options.ts';
import type { Terminal } from './terminal.ts';

/** Lines by pattern, and what is new in a task. */
export function patternCommands(terminal: Terminal): readonly Command[] {
  const patterns = new Command('patterns')
    .description('count lines by pattern: what is left of them without numbers, ids and paths')
    .argument('[id]', 'the task (default: all)');
  const compare = new Command('compare')
    .description('tell which patterns are new, gone or of another share in a task')
    .argument('<id>', 'the task, such as one that failed')
    .argument('[base]', 'what to compare it with (default: the newest completed task of the same work before it)');
  for (const command of [patterns, compare]) {
    command.option('--query <query>', 'only lines that this query finds (docs/query.md)');
    filterOptions(command)
      .option('--limit <count>', `patterns of each list, 1–${PATTERNS_MAX} (default ${PATTERNS})`)
      .option('--json', 'as JSON, as the API gives it');
  }
  patterns
    .addHelpText(
      'after',
      example(
        'tasktrail patterns ID',
        'tasktrail patterns ID --min-level warning --limit 10',
        `tasktrail patterns --query 'level:error after:-1d'`,
        "tasktrail patterns ID --json | jq -r '.patterns[].template'",
      ),
    )
    .action(async (id: string | undefined, options: CommonOptions & PatternOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/patterns.ts');
      terminal.exitCode = await commands.patterns(terminal, config, id, options);
    });
  compare
    .addHelpText(
      'after',
      example(
        'tasktrail compare FAILED',
        'tasktrail compare FAILED GOOD',
        'tasktrail compare FAILED GOOD --min-level warning',
        "tasktrail compare FAILED --json | jq -r '.new[].sample.message'",
      ),
    )
    .action(async (id: string, base: string | undefined, options: CommonOptions & PatternOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/patterns.ts');
      terminal.exitCode = await commands.compare(terminal, config, { id, base }, options);
    });
  return [patterns, compare];
}
