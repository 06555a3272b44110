import type { RedactionRule } from '../core/redaction.ts';
import { environment, secretValues } from './config.ts';
import { secretEnvValues } from './secret-env.ts';
import type { Config } from './settings.ts';

/** What must not be seen besides tokens of known shapes. */
interface Redaction {
  readonly secrets: readonly string[];
  readonly redactionRules: readonly RedactionRule[];
}

/** Secrets of the settings and of the environment, and the rules of the config file. Throws `invalid_setting` for a wrong rule. */
export async function redactionOf(config: Config): Promise<Redaction> {
  const secrets = [...secretValues(config), ...secretEnvValues(environment())];
  if (config.sections.values.redaction === undefined) return { secrets, redactionRules: [] };
  // Loaded late: most commands have no rules, and need no schemas then.
  const { readRedaction } = await import('./config-file.ts');
  return { secrets, redactionRules: readRedaction(config.sections) };
}
