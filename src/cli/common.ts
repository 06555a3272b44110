import type { Command } from 'commander';
import { readConfig } from './config.ts';
import type { Config } from './settings.ts';

/** Options that every command knows. */
export interface CommonOptions {
  readonly config?: string;
  readonly verbose?: boolean;
}

export function common(command: Command): Command {
  return command
    .option('--config <file>', 'settings file (default tasktrail.config.json)')
    .option('--verbose', 'tell the causes of an error');
}

export function configOf(options: CommonOptions, flags: Readonly<Record<string, unknown>> = {}): Config {
  return readConfig({ flags, configFile: options.config });
}

/** Examples behind a command's help. */
export function example(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}
