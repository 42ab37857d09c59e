// Routes of a person's own stream.
import { Body, Controller, Param, Patch, Post, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { memberEvents, PrivacySettings } from '../../domain/member/member.events.js';
import { ConsentPurpose, Id } from '../../domain/vocabulary.js';
import { ByMember, Scopes } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { MemberRequest } from './member.handler.js';

const { handle, displayName, country, ...rest } = memberEvents.MemberRegistered.shape;
const Registration = z
  .strictObject({
    ...rest,
    memberId: Id.optional(),
    handle: handle.unwrap(),
    displayName: displayName.unwrap(),
    country,
  })
  .meta({ id: 'Registration' });
const Profile = memberEvents.MemberProfileChanged.omit({ memberId: true })
  .refine((profile) => Object.keys(profile).length > 0, 'name at least one field to change')
  .meta({ id: 'Profile' });
const ConsentChoice = z
  .strictObject({ granted: z.boolean(), policyVersion: z.string().min(1).max(32) })
  .meta({ id: 'ConsentChoice' });

const answer = { memberId: Id, revision: z.int() };

@ApiTags('members')
@Controller('v1/members')
export class MemberController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @Scopes('app')
  @Writes(201, answer)
  register(@By() caller: Caller, @Body({ schema: Registration }) registration: z.infer<typeof Registration>) {
    return this.send(new MemberRequest(caller, { type: 'register', registration }));
  }

  /** What is absent stays as it is. */
  @Patch('me/profile')
  @ByMember()
  @Writes(200, answer)
  changeProfile(@By() caller: Caller, @Body({ schema: Profile }) profile: z.infer<typeof Profile>) {
    return this.send(new MemberRequest(caller, { type: 'change-profile', profile }));
  }

  /** The settings as they are from now on, whole. */
  @Put('me/settings')
  @ByMember()
  @Writes(200, answer)
  changeSettings(@By() caller: Caller, @Body({ schema: PrivacySettings }) settings: PrivacySettings) {
    return this.send(new MemberRequest(caller, { type: 'change-settings', settings }));
  }

  @Put('me/consents/:purpose')
  @ByMember()
  @Writes(200, answer)
  setConsent(
    @By() caller: Caller,
    @Param('purpose', { schema: ConsentPurpose }) purpose: z.infer<typeof ConsentPurpose>,
    @Body({ schema: ConsentChoice }) choice: z.infer<typeof ConsentChoice>,
  ) {
    return this.send(new MemberRequest(caller, { type: 'set-consent', consent: { purpose, ...choice } }));
  }

  private send(request: MemberRequest): Promise<Written> {
    return this.commands.execute(request);
  }
}
