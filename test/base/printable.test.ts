import fc from 'fast-check';
import { test } from 'uvu';
import { equal, is, not } from 'uvu/assert';
import { printable } from '../../src/base/printable.ts';

test('what moves a cursor or turns text is shown instead of obeyed', () => {
  equal(printable('CPU 0/KVM'), 'CPU 0/KVM');
  equal(printable('\u001b[2Jgone\r\n'), '␛[2Jgone␍␊');
  equal(printable('a\u009b1mb\u202ec\u007f'), 'a\ufffd1mb\ufffdc␡');
});

test('offsets stay and nothing unsafe is left, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const shown = printable(text);
      is(shown.length, text.length);
      not.match(shown, /\p{Cc}/u);
      equal(printable(shown), shown);
    }),
  );
});

test.run();
