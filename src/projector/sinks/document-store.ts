// Where the projector keeps documents and what it knows of them, as all processes see it. Two stores keep this contract
// (Redis, memory) and one suite holds them to it.
import type { ShardName } from '../../kernel/document-keys.js';
import type { Builds } from '../builds/builds.js';
import type { Attendance } from '../builds/company.js';
import type { Lease } from '../builds/lease.js';
import type { BuildSink } from './document-sink.js';

export interface DocumentStore {
  builds(name: ShardName): Builds;
  sink(name: ShardName, build: number): BuildSink;
  /**
   * @param work names the piece of work
   * @param holder names a process, and no other
   */
  lease(work: string, holder: string): Lease;
  /** Of the processes that cut the work into so many shards. */
  attendance(shards: number, holder: string): Attendance;
  /** The numbers of shards into which any of these projections was ever cut, and of which something is left. */
  cuts(projections: readonly string[]): Promise<readonly number[]>;
}
