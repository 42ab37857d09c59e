// The Grafana dashboards as the tests read them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const dashboardDirectory = 'dashboards/grafana/dashboards';

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly unknown[];
}
export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}
export interface ApiTarget {
  readonly url: string;
  readonly parser: string;
  readonly url_options: { readonly params: readonly { readonly key: string; readonly value: string }[] };
}

export function dashboard(name: string): Dashboard {
  return JSON.parse(readFileSync(join(dashboardDirectory, name), 'utf8')) as Dashboard;
}

/** Each question with the title of its panel. */
export function targetsOf<Target>(name: string): [string, Target][] {
  return dashboard(name).panels.flatMap(({ title, targets }) =>
    targets.map((target): [string, Target] => [title, target as Target]),
  );
}
