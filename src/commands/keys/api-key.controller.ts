// Keys over the API, for whoever has a key with scope admin; and the short-lived tokens of members' own devices.
import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Id } from '../../domain/vocabulary.js';
import { isScope } from '../../http/access/api-key.js';
import { MemberTokens, memberTokenSecMax } from '../../http/access/member-token.js';
import { Scopes } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Lookups } from '../lookups.js';
import { ApiKeyStore } from './api-key.store.js';

const ScopeName = z.string().refine(isScope, 'app, analyst, import, admin or brand:<id>');
const NewKey = z
  .strictObject({ name: z.string().min(1).max(80), scopes: z.array(ScopeName).min(1).max(50) })
  .meta({ id: 'NewKey' });
const NewToken = z
  .strictObject({ memberId: Id, lifeSec: z.int().min(60).max(memberTokenSecMax).default(900) })
  .meta({ id: 'NewMemberToken' });

@ApiTags('keys')
@Controller('v1')
export class ApiKeyController {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly tokens: MemberTokens,
    private readonly lookups: Lookups,
  ) {}

  @Get('keys')
  @Scopes('admin')
  list() {
    return { items: this.keys.list() };
  }

  /** The token is in this answer and nowhere else. */
  @Post('keys')
  @Scopes('admin')
  @ApiResponse({ status: 201, standardSchema: z.object({ id: z.string(), token: z.string() }) })
  create(@Body({ schema: NewKey }) body: z.infer<typeof NewKey>) {
    return this.keys.create({ name: body.name, scopes: body.scopes.filter(isScope) });
  }

  @Delete('keys/:id')
  @HttpCode(204)
  @Scopes('admin')
  revoke(@Param('id') id: string): Promise<void> {
    return this.keys.revoke(id);
  }

  /** For the device of a registered member: opens what that member may do. */
  @Post('member-tokens')
  @Scopes('app')
  @ApiResponse({ status: 201, standardSchema: z.object({ token: z.string(), expiresAt: z.string() }) })
  async issue(@By() caller: Caller, @Body({ schema: NewToken }) { memberId, lifeSec }: z.infer<typeof NewToken>) {
    await this.lookups.registeredMember(memberId);
    return this.tokens.issue({ keyId: caller.key?.id ?? '', memberId }, lifeSec);
  }
}
