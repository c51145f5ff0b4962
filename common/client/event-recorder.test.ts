import { describe, expect, it } from 'vitest'
import { silentLogger } from '../machinery/logger.ts'
import { createClient } from './create-client.ts'
import { EventCorrelator } from './event-correlator.ts'
import { createEventRecorder } from './event-recorder.ts'
import { createManualClock } from './testing/manual-clock.ts'
import { createScriptedTransport } from './testing/scripted-transport.ts'

const about = { kind: 'Pod', apiVersion: 'v1', namespace: 'default', name: 'web', uid: 'u1' }

function setUp() {
  const transport = createScriptedTransport()
  transport.answer = (request) => request.body
  const clock = createManualClock()
  const recorder = createEventRecorder({
    client: createClient(transport),
    component: 'test',
    clock,
    logger: silentLogger,
  })
  return { transport, clock, recorder }
}

describe('event recorder', () => {
  it('counts an equal event up instead of repeating it', async () => {
    const { transport, clock, recorder } = setUp()
    recorder.event(about, 'Warning', 'BackOff', 'Back-off restarting')
    await recorder.flush()
    await clock.advance(60_000)
    recorder.event(about, 'Warning', 'BackOff', 'Back-off restarting')
    await recorder.flush()
    expect(transport.requests.map(({ method, path }) => `${method} ${path.replace(/web\..*/, 'web.x')}`)).toEqual([
      'POST /api/v1/namespaces/default/events',
      'PATCH /api/v1/namespaces/default/events/web.x',
    ])
    expect(transport.requests[0]?.body).toMatchObject({
      involvedObject: about,
      reason: 'BackOff',
      type: 'Warning',
      count: 1,
      source: { component: 'test' },
    })
    expect(transport.requests[1]?.body).toMatchObject({ count: 2, lastTimestamp: '2026-01-01T00:01:00Z' })
  })

  it('swallows failures', async () => {
    const { transport, recorder } = setUp()
    transport.answer = () => {
      throw new Error('no room')
    }
    recorder.event(about, 'Normal', 'Started', 'Started container')
    await recorder.flush()
    await recorder.stop()
  })
})

describe('event correlator', () => {
  const facts = (message: string, name = 'web') => ({
    component: 'c',
    host: '',
    reference: { ...about, name },
    type: 'Normal',
    reason: 'R',
    message,
  })

  it('folds many different messages of one reason', () => {
    const correlator = new EventCorrelator(createManualClock())
    const messages = Array.from({ length: 12 }, (_, i) => correlator.correlate(facts(`message ${String(i)}`)))
    expect(
      messages.filter(
        (verdict) => verdict !== 'drop' && verdict.message.startsWith('(combined from similar events): '),
      ),
    ).toHaveLength(2)
  })

  it('cuts a source short that talks too much about one object, and lets it speak again later', async () => {
    const clock = createManualClock()
    const correlator = new EventCorrelator(clock)
    const verdicts = Array.from({ length: 30 }, () => correlator.correlate(facts('same')))
    expect(verdicts.filter((verdict) => verdict === 'drop')).toHaveLength(5)
    expect(correlator.correlate(facts('same', 'other'))).not.toBe('drop')
    await clock.advance(300_000)
    expect(correlator.correlate(facts('same'))).not.toBe('drop')
    expect(correlator.correlate(facts('same'))).toBe('drop')
  })
})
