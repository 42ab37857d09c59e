// What ClickHouse itself says of the builds: which one readers read, and which numbers were ever used. The log may have
// been put back to an earlier state and know less than this.
import { type Engine, quoted } from '../engine.js';
import type { Mark, Published, PublishedBuilds } from './fact-store.js';

export class ClickHousePublished implements PublishedBuilds {
  constructor(
    private readonly engine: Engine,
    private readonly sink: string,
  ) {}

  async read(): Promise<Published> {
    if (!(await this.tables()).includes('sink_active')) return { build: 0, activation: 0 };
    const row = await this.engine.row<{ read_build: string; highest: string }>(
      `SELECT toString(argMax(build, activation)) AS read_build, toString(max(activation)) AS highest FROM sink_active WHERE sink = ${quoted(this.sink)}`,
    );
    return { build: Number(row?.read_build ?? 0), activation: Number(row?.highest ?? 0) };
  }

  async write({ build, activation }: Published): Promise<void> {
    const line = `${this.sink}\t${build}\t${activation}\n`;
    await this.engine.insertText('sink_active', ['sink', 'build', 'activation'], [Buffer.from(line)], '');
  }

  async highest(): Promise<number> {
    const tables = await this.tables();
    const used = buildsOf(tables);
    for (const marks of ['sink_progress', 'sink_active', 'sink_parked'].filter((name) => tables.includes(name))) {
      const row = await this.engine.row<{ highest: string }>(
        `SELECT toString(max(build)) AS highest FROM ${marks} WHERE sink = ${quoted(this.sink)}`,
      );
      used.push(Number(row?.highest ?? 0));
    }
    return Math.max(0, ...used);
  }

  async marked(): Promise<readonly Mark[]> {
    return await this.marksIn(await this.tables());
  }

  async there(): Promise<ReadonlySet<number>> {
    const tables = await this.tables();
    const marks = await this.marksIn(tables);
    return new Set([...buildsOf(tables), ...marks.map(({ build }) => build)]);
  }

  private async marksIn(tables: readonly string[]): Promise<readonly Mark[]> {
    if (!tables.includes('sink_progress')) return [];
    const rows = await this.engine.rows<{ of_build: string; log: string }>(
      `SELECT DISTINCT toString(build) AS of_build, log_id AS log FROM sink_progress WHERE sink = ${quoted(this.sink)}`,
    );
    return rows.map(({ of_build, log }) => ({ build: Number(of_build), logId: log }));
  }

  private async tables(): Promise<readonly string[]> {
    const rows = await this.engine.rows<{ name: string }>(
      'SELECT name FROM system.tables WHERE database = currentDatabase()',
    );
    return rows.map(({ name }) => name);
  }
}

function buildsOf(tables: readonly string[]): number[] {
  return tables.flatMap((name) => /^event_facts_v(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}
