import { Command } from 'commander';
import { PAGE_AUDIT, PAGE_AUDIT_MAX } from '../core/limits.ts';
import type { AuditOptions } from './commands/audit.ts';
import { type CommonOptions, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** Who changed what. */
export function auditCommand(terminal: Terminal): Command {
  return new Command('audit')
    .description('show who changed what, newest first')
    .option('--from <time>', 'from this time on (ISO 8601 or Unix ms)')
    .option('--to <time>', 'before this time')
    .option('--actor <name>', 'only what this one did: a name, or a kind such as token, cli, system')
    .option('--action <names>', 'only these actions, by comma; task.* for all of a kind')
    .option('--target <id>', 'only what was done to this one: an id, or type:id')
    .option('--limit <count>', `how many, 1–${PAGE_AUDIT_MAX} (default ${PAGE_AUDIT})`)
    .option('--all', 'every record there is')
    .option('--json', 'one JSON object a line, as the API gives them')
    .addHelpText(
      'after',
      example(
        'tasktrail audit',
        'tasktrail audit --action task.delete,task.force_delete --from 2026-01-01',
        'tasktrail audit --actor alice --target task:task-01J…',
        'tasktrail audit --all --json > audit.jsonl',
      ),
    )
    .action(async (options: CommonOptions & AuditOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/audit.ts');
      terminal.exitCode = await commands.audit(terminal, config, options);
    });
}
