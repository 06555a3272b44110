import { asTrailError, TrailError } from '../core/error.ts';
import { Alerts, type AlertsParts } from '../outlet/alerts/alerts.ts';
import { parseQuery, parseTaskQuery } from '../query/parse.ts';
import { configuredAlerts } from './alert-section.ts';
import { environment } from './config.ts';
import { readSections } from './config-file.ts';
import { accountsOf, outboundOf } from './outlets.ts';
import type { Config } from './settings.ts';

/** The alerts that a server has. Throws `invalid_setting` that names the place of what is wrong in the config file. */
export function serverAlerts(config: Config, parts: Pick<AlertsParts, 'store' | 'intake' | 'live' | 'log'>): Alerts {
  const { file } = config.sections;
  const wrong = (place: string, what: string): TrailError =>
    new TrailError('invalid_setting', `alerts.${place} in ${file}: ${what}`);
  const configured = configuredAlerts(readSections(config.sections).alerts, { env: environment(), wrong });
  try {
    return new Alerts({
      ...parts,
      ...{ configured, accounts: accountsOf(config), outbound: outboundOf(config), publicUrl: config.publicUrl },
      readQuery: (text, nowMs, on) => (on === 'task' ? parseTaskQuery : parseQuery)(text, nowMs),
    });
  } catch (error) {
    const { code, errors: [first] = [] } = asTrailError(error);
    throw code === 'invalid_alert' && first ? wrong(first.path, first.detail) : error;
  }
}
