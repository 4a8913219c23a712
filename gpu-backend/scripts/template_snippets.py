"""Small templates for each part of the language that chat templates are written in, and the variables that they all have."""

MESSAGES = [
    {"role": "system", "content": "S"},
    {"role": "user", "content": "Zwölf"},
    {"role": "assistant", "content": "  a\n    b  ", "tool_calls": [{"id": "1"}]},
    {"role": "user", "content": "last", "name": "Ann"},
]
VARIABLES = {
    "messages": MESSAGES,
    "d": {"b": 1, "a": [1, 2.5, None, True], "items": "key", "constructor": "C", "__proto__": "P", "prototype": 3, "B": 2},
    "tree": [{"n": 1, "c": [{"n": 2, "c": []}, {"n": 3, "c": [{"n": 4, "c": []}]}]}],
    "s": "Hello, 🙂 World",
    "text": "\n  one two\n\n  three  \n",
    "nums": [3, 1, 2, 10, 1],
    "nothing": None,
}

EXPRESSIONS = """
none
[true, false, none, True, None]
1
1.0
-0.0
1e5
1e16
1.5e-7
0.1 + 0.2
123456789012345678901234567890 * 10
2 ** 0.5
2 ** 10
2 ** -1
-2 ** 2
2 ** 3 ** 2
7 / 2
6 / 2
7 // 2
-7 // 2
-7 % 3
7 % -3
7.5 // 2
-7.5 % 2
7.5 % 2
1 + True
1 / 0
1_000 + 0x1F + 0b11 + 0o17
'a' + 'b'
'a' + 1
1 + 'a'
'a' * 3
3 * [1, 2]
[1] + [2]
[1] + (2,)
(1, 2) + (3,)
(1,)
()
'a' ~ 1 ~ none ~ 1.5 ~ [1, 'x']
1 ~ 2 + 3
"it's"
["it's", 'say "x"', 'both \\' and "', 'tab\\t\\n\\r\\\\', '\\x07', '\\u00a0', 'é🙂', '\\x1b\\u200b']
'\\d\\x41\\u00e9\\101'
'a' 'b' "c"
{'a': 1, "b": [none], 3: 'x', none: 1.5}
{'a': {'b': {'c': 1}}}
{1: 'a', true: 'b', 1.0: 'c'}
{[1]: 2}
1 < 2 < 3
1 < 3 < 2
1 == 1.0 == True
'a' < 'b'
'Z' < 'a'
[1, 2] < [1, 3]
(1, 2) == (1, 2)
[1] == (1,)
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
1 < 'a'
none < 1
1 != 1.0
not 1 == 2
not not 0
0 or 'x'
0 and 'x'
'' or none or [] or 'end'
1 and 2
'ell' in s
3 in nums
'b' in d
'x' not in d
1 in 'abc'
'a' in none
'a' in missing
missing in [1]
1 if true else 2
1 if false
1 if false else 2 if false else 3
(1 if missing else 2) + 1
missing
missing.x
missing['x']
missing + 1
-missing
missing ~ 'a'
missing == other
missing == none
[missing]
missing | length
missing | trim
missing | int
missing()
none.x
none['x']
nothing.x.y
d.b
d['b']
d.items is callable
d.items is defined
d['items']
d.items()
d.constructor
d['__proto__']
d.__proto__
d.prototype
d.a.constructor
d.toString
s.constructor
s.length
nums.length
nums.map
d.hasOwnProperty
range.constructor
d.__class__
s['__class__']
d.__class__.__mro__
s.__init__
messages.append(1)
messages.append
messages.append is defined
d.__class__.__base__
d.__class__()
s.__class__ ~ 'x'
[s.__class__]
s.format.__globals__
range.__class__
range.__self__
(nums | map('string')).gi_frame
d.update({'x': 1})
d.pop('b')
messages.pop()
''.__class__
d.get('b')
d.get('x')
d.get('x', 5)
d.keys() | list
d.values() | list | length
{'a': 1}.items()
{'a': 1}.keys()
{'a': 1}.values()
{'a': 1}.items() | list
{'a': 1}.items() | length
{'a': 1}.items()[0]
'' | list
'abc' | list
nums[0]
nums[-1]
nums[10]
nums['x']
nums[1.5]
nums[true]
nums[1:3]
nums[:-1]
nums[::-1]
nums[::2]
nums[-2:]
nums[3:0:-1]
nums[10:]
nums[:100]
nums[::0]
(1, 2, 3)[1:]
s[0]
s[7]
s[-1]
s[7:9]
s[::-1]
s[100]
s[1:][0]
messages[-1].content
messages[1]['content'][1]
messages[0].role.upper()
d.0
nums.0
nums.1 + 1
range(3)
range(1, 10, 3)
range(3) | list
range(5, 0, -2) | list
range(0) | list
range(3)[1]
range(3) | length
range(100001)
range(1, 5, 0)
range(2) == range(2)
dict(a=1, b='x')
dict({'a': 1}, b=2)
dict([('a', 1)])
namespace(a=1).a
namespace(a=1).b
namespace({'a': 2})['a']
namespace(_a=1)
' x '.strip()
'xxaxx'.strip('x')
'xyaxy'.strip('yx')
'\\n  a \\n'.strip('\\n')
'xxa'.lstrip('x')
'axx'.rstrip('x')
'  a '.lstrip() ~ '|'
'  a '.rstrip() ~ '|'
'\\n\\n    code\\n'.lstrip('\\n')
'\\u00a0\\u2003a\\x1f\\ufeff'.strip() | length
'🙂a🙂'.strip('🙂')
'a'.strip(none)
'a'.strip(1)
'a,b,c'.split(',')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.split(',', maxsplit=1)
'a'.split(',')
''.split(',')
'  a  b c '.split()
'  a  b c '.split(none, 1)
'  a  b c '.rsplit(none, 1)
''.split()
'a'.split('')
'x</think>y</think>z'.split('</think>')[-1]
'x</think>y'.split('</think>')[0].split('<think>')[-1]
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
'a\\nb\\r\\nc\\n\\nd'.splitlines()
'a\\nb\\n'.splitlines(true)
''.splitlines()
'\\n'.splitlines()
s.startswith('Hell')
s.startswith(('x', 'H'))
s.endswith('ld')
s.startswith(1)
'aaa'.replace('a', 'b')
'aaa'.replace('a', 'b', 2)
'ab'.replace('', '-')
'ab'.replace('', '-', 2)
s.find('World')
s.find('x')
s.find('o', 5)
s.rfind('o')
s.index('W')
s.index('x')
'banana'.count('an')
'banana'.count('')
s.upper()
s.lower()
'hELLO wORLD'.capitalize()
"they're bill's 2nd".title()
'ß'.upper()
'aB'.swapcase()
'Straße'.casefold()
'abc'.center(9, '*')
'abc'.ljust(5, '.') ~ '|'
'abc'.rjust(5) ~ '|'
'42'.zfill(5)
'-42'.zfill(5)
','.join(['a', 'b'])
','.join([1])
'-'.join('abc')
'a1'.isalnum()
'ab'.isalpha()
''.isalpha()
'12'.isdigit()
'²'.isdigit()
'½'.isnumeric()
'12'.isdecimal()
' \\n'.isspace()
'ab1'.islower()
'A1'.isupper()
'1'.isupper()
'Ab Cd'.istitle()
'abc'.removeprefix('a').removesuffix('c')
'abc'.nope()
'{} {}'.format(1, 'x')
'{0} {1} {0}'.format('a', 'b')
'{a}-{b!r}'.format(a=1, b='x')
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:05d} {:+d} {:x} {:,}'.format(42, 42, 255, 1234567)
'{:.2f} {:8.3f} {:.0f} {:e}'.format(3.14159, 2.5, 2.5, 12345.678)
'{:.1%} {:06.2f}'.format(0.256, 3.14159)
'{{}} {}'.format(1)
'{0[a]} {0.b}'.format({'a': 1})
'{[0]}'.format([7])
'{:{}}|'.format('a', 4)
'{}'.format()
'{x}'.format(y=1)
'{0.__class__}'.format('a')
'{} {}'.format_map({'a': 1})
'{a}'.format_map({'a': 1})
'%s and %r' % ('a', 'b')
'%d %5d|%-5d|%05d' % (1, 2, 3, 4)
'%.2f %5.1f' % (3.14159, 2.55)
'%s' % none
'%s' % [1, 2]
'%(a)s' % {'a': 1}
'%d' % 3.9
'%d' % 'x'
'%s %s' % 'a'
'%s' % (1, 2)
'%%' % ()
'%x %X %o %e' % (255, 255, 8, 1234.5)
'%5s|%-5s|%.2s' % ('a', 'b', 'cde')
'%s %s' | format('a', 1)
'%(x)s' | format(x=1)
' x ' | trim
'xxaxx' | trim('x')
s | upper
s | lower
'hello wORLD' | capitalize
"hello-world foo_bar (baz) it's" | title
s | length
s | count
s | reverse
nums | reverse | list
nums | first
nums | last
[] | first
[] | last
[none] | first
'abc' | first
'abc' | last
nums | sort
nums | sort(reverse=true)
['b', 'A', 'c'] | sort
['b', 'A', 'c'] | sort(case_sensitive=true)
messages | sort(attribute='content') | map(attribute='content') | list
[1, 'a'] | sort
nums | unique | list
['a', 'A', 'b'] | unique | list
['a', 'A', 'b'] | unique(case_sensitive=true) | list
nums | sum
[{'x': 1}, {'x': 2}] | sum(attribute='x')
[1, 2] | sum(start=10)
nums | min
nums | max
['b', 'A'] | min
[] | max
nums | join
nums | join(', ')
nums | join(d='-')
messages | join('|', attribute='role')
messages | map(attribute='content') | join('|')
messages | map(attribute='name', default='?') | list
messages | map(attribute='name') | list
['a', 'b'] | map('upper') | list
['a', 'b'] | map('replace', 'a', 'x') | list
[1, 2] | map('nope') | list
messages | selectattr('role', 'equalto', 'user') | list | length
messages | selectattr('role', '==', 'user') | map(attribute='content') | list
messages | rejectattr('role', 'eq', 'user') | map(attribute='role') | list
messages | selectattr('name', 'defined') | list | length
messages | selectattr('name', 'undefined') | list | length
messages | selectattr('tool_calls') | list | length
messages | rejectattr('tool_calls') | list | length
messages | selectattr('role', 'in', ['user', 'tool']) | list | length
messages | selectattr('role', 'nope') | list
messages | selectattr() | list
[0, 1, '', 'a'] | select | list
[0, 1, '', 'a'] | reject | list
[1, 2, 3, 4] | select('odd') | list
[1, 2, 3, 4] | reject('divisibleby', 2) | list
[1, 2, 3] | select('gt', 1) | list
'x' if [] | select else 'y'
[1, 2] | select | length
missing | default('x')
missing | d
none | default('x')
'' | default('x', true)
'' | default('x')
0 | default(default_value='x', boolean=true)
missing.x | default('x')
'abc' | replace('b', 'x')
'aaa' | replace('a', 'b', 2)
'aaa' | replace('a', 'b', count=1)
1 | replace(1, 2)
1.5 | string
none | string
'3' | int
'3.7' | int
'x' | int
'x' | int(default=-1)
'0x1f' | int(base=16)
'1f' | int(base=16)
' 42 ' | int
'-7' | int
3.9 | int
-3.9 | int
true | int
none | int
'3' | float
'x' | float
3 | float
'1e3' | float
'x' | float(1.5)
-3 | abs
(-3) | abs
-3.5 | abs
2.5 | round
3.5 | round
2.675 | round(2)
2.567 | round(1, 'floor')
2.51 | round(method='ceil')
42 | round
42.55 | round
[1, 2] | list
{'a': 1} | list
'<a & "b">' | e
'<a>' | escape
'<a>' | safe
'a' | safe ~ '<b>'
{'b': 1, 'a': 2} | dictsort
{'b': 1, 'A': 2} | dictsort(case_sensitive=true)
{'b': 1, 'a': 2} | dictsort(by='value')
{'b': 1, 'a': 2} | dictsort(reverse=true)
{'a': 1} | items | list
missing | items | list
[1] | items | list
nums | batch(2) | list
nums | batch(2, 0) | list
nums | slice(2) | list
nums | slice(3, 'x') | list
messages | groupby('role') | map('first') | list
[{'k': 1, 'v': 2}, {'k': 1, 'v': 3}] | groupby('k') | list | length
text | indent
text | indent(2)
text | indent(2, true)
text | indent(2, true, true)
text | indent('> ', first=true)
text | indent(width=1, blank=true)
'' | indent
'one two three four' | truncate(10)
'one two three four' | truncate(10, true)
'one two three four' | truncate(10, false, '~', 0)
'abc' | truncate(3)
'one two three' | wordcount
'abc' | center(9)
('abc' | attr('upper'))()
d | attr('b')
d | attr('__class__')
nums | nope
nums | tojson
d | tojson
d | tojson(indent=2)
d | tojson(indent=0)
[] | tojson(indent=2)
[[], {}, [1, {'a': [2]}]] | tojson(indent=4)
d | tojson(separators=(',', ':'))
d | tojson(sort_keys=true)
'é🙂<&\\n\\t\\x01"\\\\' | tojson
'é🙂' | tojson(ensure_ascii=true)
[1.0, 1e20, 0.1, none, true] | tojson
{1: 2, none: 3, true: 4} | tojson
(1, 2) | tojson
missing | tojson
range(2) | tojson
[missing] | tojson
nothing | tojson
1 is defined
missing is defined
missing is undefined
missing.x is defined
d.nope is defined
d.nope is not defined
none is none
missing is none
0 is none
d is mapping
nums is mapping
s is string
1 is string
nums is sequence
s is sequence
d is sequence
1 is sequence
(1,) is sequence
missing is sequence
s is iterable
1 is iterable
d.items() is iterable
d.items() is sequence
1 is number
1.5 is number
true is number
'1' is number
1 is integer
true is integer
1.0 is integer
1.5 is float
1 is float
true is boolean
1 is boolean
true is true
1 is true
false is false
0 is false
none is false
3 is odd
3 is even
4 is divisibleby 2
4 is divisibleby(3)
1 is eq 1
1 is equalto(1.0)
1 is ne 2
1 is == 1
2 is gt 1
2 is ge(2)
1 is lt 2
1 is le 1
2 is greaterthan 1
1 is lessthan 2
1 is in [1, 2]
'a' is in 'abc'
1 is not in [1]
1 is sameas 1
none is sameas none
'abc' is lower
'ABC' is upper
'aBC' is lower
s.upper is callable
s is callable
'a' is escaped
1 is nope
not missing is defined
missing is defined and missing.x.y
missing is not defined or missing
d.a is defined and d.a is not none
1 is defined and 2 is defined
'a' is string ~ 'x'
raise_exception('no')
raise_exception('no: ' ~ 1)
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %p %I %y %a %% %e')
strftime_now('%-d/%-m')
s.upper(1)
s.split(nope=1)
nums | join(1, 2, 3, 4)
1 | upper
none | upper
[1, 2,]
{'a': 1,}
dict(a=1,)
(1, 2,)
1, 2
joiner()() ~ 1
cycler(1, 2).next()
cycler(1, 2).current
cycler()
messages | map(attribute='role') | unique | list
messages | map(attribute='content') | map('trim') | map('length') | list
messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(' ') | upper
(messages | last).content
(messages | length) - 1
messages | length - 1
- nums[0]
+ 3
1 - -1
[1, 2, 3] | map('string') | join
d | length
[d.b, d['a'][0]]
('a', 'b') | join
'a' in ('a', 'b')
'a' in 'a' == true
x == 1 if x is defined else 'unset'
*nums
(messages | groupby('role') | first).grouper
(messages | groupby('role') | first).list | length
messages | groupby('role') | map(attribute='grouper') | list
messages | groupby('role') | map(attribute='list') | map('length') | list
[{'k': 1}] | groupby('k') | list
([{'k': 1}] | groupby('k') | first).nope is defined
'\\ufeffa\\x85\\x1c' | trim | length
'a\\x85b\\x1cc d\\ufeffe' | title
'\\ufeff1' | int
'\\x851\\x1c' | int
'\\x851.5\\x1c' | float
'\\ufeff1.5' | float
'<' | e | e
'<' | e | escape | forceescape
'<' | safe | e
('<' | e) + '<'
'<' + ('<' | e)
('<' | e) ~ '<'
('<' | e) * 2
2 * ('<' | e)
('%s' | e) % '<'
('%s %r %d' | safe) % ('<', '<', 3)
('%(a)s' | safe) % {'a': '<'}
('{} {!r}' | safe).format('<', '<')
('{}' | safe).format('<' | safe)
'%s' | safe | format('<')
'{}'.format('<' | e)
['<' | e]
['<' | e] | tojson
{'a': '<' | e}
'<' | e | tojson
('<' | e) is escaped
('<' | e | string) is escaped
('<' | e | upper) is escaped
('<' | e | trim) is escaped
('<' | e | replace('l', 'L')) is escaped
('<' | e).upper() | e
('<a' | e).split('a') | map('e') | list
(',' | safe).join(['<', '>' | safe])
('a' | safe).replace('a', '<')
('a' | safe).replace('a', '<') | e
('a' | safe)[0] is escaped
('a' | safe)[:1] is escaped
('a' | safe) is string
('a' | safe) is sequence
('a' | safe) == 'a'
('a' | safe) in ['a']
'a' in ('abc' | safe)
('a' | safe) < 'b'
{'a': 1}['a' | safe]
('abc' | safe) | length
('abc' | safe) | list
('abc' | safe) | first is escaped
('3' | safe) | int + 1
'safe' if ('' | safe) else 'empty'
('a' | safe).startswith('a')
[('b' | safe), 'a'] | sort
['<', '>' | safe] | join(' ')
'<' | e | indent(2, true) | e
'<>' | e | truncate(6, true, '<') | e
(missing | default('<' | e)) | e
'a' + 1 | string | safe
1 | e | e
[1] | e
none | e
'{!a} {!a}'.format('é', ['🙂\\u200b'])
'%a|%5a' % ('é', 'x')
'%#x %#o %#X|%#6x|%#06x' % (255, 8, 255, 10, 10)
'{:#x} {:#o} {:#b} {:#X}|{:#06x}|{:#8b}'.format(255, 8, 5, 255, 10, 2)
'{:_x} {:_b} {:,}'.format(65536, 255, 1234567)
'%x' % 1.5
'{:#.0f} {:#.0e}'.format(3.0, 3.0)
'inf' | float
'-Infinity' | float
'nan' | float
'infinit' | float
'+1_0.5_0e1_0' | float
'1__0' | float
'_1' | float
'1_' | float
'.5' | float
'5.' | float
'.' | float
'1e400' | float
'٣٫' | float
'٣.٥' | float
'٣' | int
'𝟙𝟚' | int
'१२' | int
'1_000' | int
'1__0' | int
'_1' | int
'1_' | int
'0x1F' | int
'0x1F' | int(base=0)
'0b11' | int(base=0)
'0o17' | int(base=0)
'12' | int(base=0)
'012' | int(base=0)
'00' | int(base=0)
'0b11' | int(base=2)
'11' | int(base=2)
'0b11' | int(base=16)
'-0x1f' | int(base=16)
'0x_1f' | int(base=16)
'zz' | int(base=36)
'12' | int(base=3)
'19' | int(base=8)
'19' | int(base=1)
'9.9' | int(base=0)
'inf' | int
'nan' | int
('inf' ~ missing) | float | int
'- 1' | int
range(10)[2:4]
range(10)[::-1]
range(10)[::-3]
range(1, 20, 3)[1:-1]
range(10)[2:4] | list
range(10)[5:2]
range(5).start
range(1, 9, 2).stop
range(1, 9, 2).step
range(3).nope is defined
range(5).count(3)
range(5).index(3)
range(0, 3) == range(3)[:]
range(5)[9] is defined
nums | batch(0) | list
nums | batch(-1) | list
nums | batch(2, none) | list
[] | batch(0) | list
nums | slice(0) | list
nums | slice(-1) | list
strftime_now('%s') | length
strftime_now('%U %W %V %G %g %C %R %r %k %l %_d %P')
strftime_now('%u %w %c|%x|%X|%D|%F|%T|%h|%n|%t')
strftime_now('%-H %-I %-j %-M %_j %_m %_H %0e %0k %-y %-l')
strftime_now('%^a %^B %#p %#a %^p')
strftime_now('%5d %-5d %_5d %10A %3Y %05m')
strftime_now('%Ey %Od %EC')
strftime_now('%f %-f %z %Z| %q %! %')
'ﬁx' | capitalize
'ﬁx' | title
'ﬁx fﬂ ßs ǆa'.title()
'ﬁx'.capitalize()
'ǆabc'.capitalize()
'ßtraße'.capitalize()
'ᾳβ'.capitalize()
'აბ'.capitalize()
'İI'.capitalize()
'ΑΣ x'.title()
'ΑΣ'.capitalize()
'ΑΣ' | capitalize
'ΑΣ' | title
'ΑΣ x ΣΑ'.lower()
'五a 3b _c'.title()
'e\\u0301a'.title()
'ﬁ'.casefold()
'ẞßŉᾳςΣ'.casefold()
'İıI'.casefold()
'Ꭰꭰΐ'.casefold()
'ﬁ'.upper()
'ǅ'.swapcase()
'ΑΣ'.swapcase()
'五'.isnumeric()
'一百兆'.isnumeric()
'字'.isnumeric()
'①'.isdigit()
'①'.isdecimal()
'½'.isdigit()
'፩⑴⒈⓪❶'.isdigit()
'⑩'.isdigit()
'ª'.islower()
'ªA'.islower()
'ǅ'.isupper()
'ǅ'.istitle()
'Ab1Cd'.istitle()
'AbC'.istitle()
'ʰ' is lower
'ª' is lower
'Ⓐ' is upper
'\\ud800' | tojson | length
'\\x7f\\x1f\\u2028"\\\\' | tojson
'\\x7fé' | tojson(ensure_ascii=true)
self
self is defined
self.nope is defined
1500225688656964.25
-12.5 | round(-2)
'%+.2G|%g' % (-99343932427, 20000000000)
'{:_G} {:,.0%} {:_.1%}'.format(-80415453516.1, 12345, 1.5)
'{: #3} {:#}'.format(1e-05, 2)
'{:,n}'.format(1000)
'' | capitalize
''.title()
'ΑΣΑ αΣ. ΑΣ\\'α'.title()
'aΣ αΣα'.swapcase()
'%5.1f|%+d|% d|%.3d|%-6.2e|' % (2.25, 5, 5, 7, 0.00125)
'%s' % (('<' | e),)
dict(a='<' | e)
('<' | e) | default('x') | e
('a' | safe) | reverse | e
('a b' | safe).split()[0] is escaped
('<' | safe) | list
'<' | safe | first | e
('a' | safe) | join('<')
range(3) | list | join(',' | safe)
'banana'.count('a', 2)
'banana'.count('a', 2, -1)
'banana'.count('a', -1)
'abc'.count('', 3)
'abc'.count('', 4)
'abc'.find('', 4)
'abc'.find('', 2, 1)
'abc'.rfind('', 1, 2)
'🙂a🙂a'.count('a', 2)
'banana'.startswith('na', 2)
'banana'.startswith('na', 2, 3)
'banana'.startswith(('x', 'na'), -2)
'abc'.startswith('', 4)
'banana'.endswith('na', 5)
'banana'.endswith('na', 0, 4)
'banana'.endswith(('an', 'x'), none, -1)
'a b'.isprintable()
''.isprintable()
'a\\n'.isprintable()
'\\u00a0'.isprintable()
'é🙂'.isprintable()
'a\\tb\\n\\tc'.expandtabs()
'a\\tb'.expandtabs(4)
'a\\tb'.expandtabs(tabsize=1)
'a\\tb'.expandtabs(0)
'ab\\rc\\td'.expandtabs(4)
'a1'.isidentifier()
'1a'.isidentifier()
'_é'.isidentifier()
''.isidentifier()
'a-b'.isidentifier()
1234 | round(-2)
1250 | round(-2)
1350 | round(-2)
-1250 | round(-2)
1250.0 | round(-2)
1250.5 | round(-2)
-1350.0 | round(-2)
49 | round(-2)
1234.5 | round(-5)
1234.5 | round(-2, 'floor')
1234.5 | round(-2, 'ceil')
1 | round(2, 'nope')
'%g %g %g %g' % (0.0001, 1234567.0, 0.00001234, 100)
'%.3g|%8.2g|%G|%#g' % (3.14159, 12345, 1e-10, 1.5)
'%.0g %g %g' % (123.0, 0.0, 1e100)
'%c%c' % (65, 'é')
'%c' % 'ab'
'%c' % 128578
'%c' % -1
'{:g} {:g} {:g}'.format(0.0001, 1234567.0, 3)
'{:.3g} {:G} {:#g}'.format(3.14159, 1e-10, 1.5)
'{:.3} {:.3} {:.1}'.format(3.14159, 123.0, 5.0)
'{:.10} {:.2}|{:8.3}'.format(1e20, 0.00001, 2.0)
'{:n} {:n}'.format(12, 1.5)
'{:,g}'.format(12345.0)
'{:c}'.format(65)
'{:c}'.format('a')
'{:.3}'.format(5)
'%d' % (('inf' ~ missing) | float)
'%.2f %e %g' % (('inf' ~ missing) | float, ('nan' ~ missing) | float, ('-inf' ~ missing) | float)
'{:f} {:F} {:E}'.format(('inf' ~ missing) | float, ('nan' ~ missing) | float, ('inf' ~ missing) | float)
'upper' is filter
'nope' is filter
'urlize' is filter
'defined' is test
'nope' is test
['upper', 'nope'] | select('filter') | list
['odd', 'nope'] | select('test') | list
'a b/é?&=~()*\\'!' | urlencode
{'a b': 'c/d', 'é': 1} | urlencode
[('a', 1), ('b', none)] | urlencode
1.5 | urlencode
none | urlencode
'<b>' | safe | forceescape
'<b>' | e | forceescape
1 | filesizeformat
0 | filesizeformat
999 | filesizeformat
1000 | filesizeformat
1500000 | filesizeformat
1500000 | filesizeformat(true)
'2048' | filesizeformat(binary=true)
10 ** 30 | filesizeformat
'x' | filesizeformat
{'class': 'a "b"', 'id': none, 'n': 1, 'u': missing} | xmlattr
{'a': '<'} | xmlattr(false)
{} | xmlattr
{'a b': 1} | xmlattr
{'a': '<' | safe} | xmlattr
1 is defined is defined
1 is odd is even
1 is not defined is defined
1 is divisibleby(1) is defined
(1 is odd) is defined
1 is defined if true else 2
'\\x4'
'\\xg1'
'\\u12'
'\\U1'
'\\N'
'a\\8\\q'
""".strip("\n").split("\n")

BLOCKS = [
    # Loops
    "{% for i in [1,2,3] %}a{{ i }}{% if i==2 %}{% break %}{% endif %}b{% endfor %}",
    "{% for i in [1,2,3] %}a{{ i }}{% if i==2 %}{% continue %}{% endif %}b{% endfor %}",
    "{% for i in [1,2] %}{% for j in [1,2,3] %}{{ i }}{{ j }} {% if j == 2 %}{% break %}{% endif %}{% endfor %};{% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in [1] %}{% break %}{% else %}none{% endfor %}",
    "{% for i in [1, 2] %}{% if i == 2 %}{% break %}{% endif %}{% else %}none{% endfor %}",
    "{% for i in [1, 2] %}{% continue %}{% else %}none{% endfor %}",
    "{% for i in nums if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}none{% endfor %}",
    "{% for i in nums if i > 100 %}x{% else %}none{% endfor %}",
    "{% for i in 'aé🙂' %}{{ i }}|{% endfor %}",
    "{% for k in d %}{{ k }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }} {% endfor %}",
    "{% for k, v in d | items %}{{ k }} {% endfor %}",
    "{% for k, v in d | dictsort %}{{ k }} {% endfor %}",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for a, b in [(1,)] %}{{ a }}{% endfor %}",
    "{% for a, b in [1] %}{{ a }}{% endfor %}",
    "{% for i in none %}x{% endfor %}",
    "{% for i in 1 %}x{% endfor %}",
    "{% for i in missing %}x{% else %}none{% endfor %}",
    "{% for i in missing.x %}x{% endfor %}",
    "{% for i in 1, 2 %}{{ i }}{% endfor %}",
    "{% for i in range(3) %}{{ i }}{% endfor %}",
    "{% for i in nums | reverse %}{{ i }} {{ loop.revindex }} {{ loop.revindex0 }};{% endfor %}",
    "{% for i in nums %}{{ loop.first }}{{ loop.last }}{{ loop.index0 }} {% endfor %}",
    "{% for i in nums %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}",
    "{% for i in nums %}{% if loop.previtem is defined %}{{ i - loop.previtem }} {% endif %}{% endfor %}",
    "{% for i in nums %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for i in [1,1,2] %}{% if loop.changed(i) %}{{ i }}{% endif %}{% endfor %}",
    "{% for i in [1,2] %}{{ loop.nope }}{{ loop }}{% endfor %}",
    "{% for i in [1] %}{% for j in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for n in tree recursive %}{{ n.n }}@{{ loop.depth }}{{ loop.depth0 }}({{ loop(n.c) }}){% endfor %}",
    "{% for n in tree %}{{ loop(n.c) }}{% endfor %}",
    "{{ loop }}{% for i in [1] %}{% endfor %}{{ loop is defined }}{{ i is defined }}",
    "{% for m in messages %}{% if m.role == 'system' %}S{% elif m.role == 'user' %}U{% else %}O{% endif %}{% endfor %}",
    "{% for m in messages[::-1] %}{{ (messages|length - 1) - loop.index0 }}{{ m.role[0] }} {% endfor %}",
    "{% for m in messages[1:] %}{{ m.role }} {% endfor %}{{ messages[1:] | length }}",
    "{% for m in messages %}{{ m['role'] ~ ': ' ~ m.content | trim }}\n{% endfor %}",
    "{% for m in messages if m.role != 'system' %}{{ loop.index0 % 2 == 0 }}{% endfor %}",
    "{%- for x in [1, 2] -%}\n  {{ x }}\n{%- endfor -%}\n",
    # Scopes
    "{% set x = 1 %}{% for i in [1,2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% if false %}{% set x = 2 %}{% endif %}{{ x is defined }}",
    "{% set ns = namespace(x=1) %}{% for i in [1,2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[]) %}{% for i in [1,2] %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns.y = 1 %}{{ ns.y }}{{ ns.z is defined }}",
    "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
    "{% set ns = namespace() %}{% set ns.constructor = 1 %}{{ ns.constructor }}",
    "{% set x = {} %}{% set x.y = 1 %}",
    "{% set x.y = 1 %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1, 2, 3] %}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set constructor = 1 %}{{ constructor }}{{ __proto__ is defined }}{{ toString is defined }}",
    "{% set __proto__ = 'p' %}{{ __proto__ }}",
    "{% set x %}a{{ 1 }}\n b{% endset %}[{{ x }}]",
    "{% set x | trim | upper %}  a {% endset %}[{{ x }}]",
    "{% set x %}{% set y = 1 %}{% endset %}{{ y is defined }}",
    "{% set messages = messages[1:] %}{{ messages | length }}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a is defined }}",
    "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}",
    "{% filter upper %}a{{ 'b' }}{% endfilter %}",
    "{% filter trim | replace('a', 'x') %}  banana {% endfilter %}",
    "{% generation %}a{% set x = 1 %}{{ x }}{% endgeneration %}{{ x is defined }}",
    "a\n  {%- generation -%}  b  {%- endgeneration -%}\n c",
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% endif %}{% endfor %}",
    # Macros
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, a=3) }}",
    "{% macro m(a) %}{{ a + 1 }}{% endmacro %}{{ m() }}",
    "{% macro m() %}  a\n{% endmacro %}[{{ m() }}][{{ m() | trim }}]",
    "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}",
    "{% macro m() %}{% set y = 1 %}{% endmacro %}{{ m() }}{{ y is defined }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f(x) %}{{ x if x is not mapping else f(x.v) }}{% endmacro %}{{ f({'v': {'v': 7}}) }}",
    "{% for i in [1] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a='x', *b) %}{% endmacro %}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro outer() %}<{{ caller() }}>{% endmacro %}{% call outer() %}in{% endcall %}",
    "{% macro outer(x) %}{{ caller(x, 2) }}{% endmacro %}{% call(a, b) outer(1) %}{{ a }}{{ b }}{% endcall %}",
    "{% macro outer() %}x{% endmacro %}{% call outer() %}in{% endcall %}",
    "{% macro outer() %}{{ caller() }}{% endmacro %}{{ outer() }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}",
    "{% macro m(constructor) %}{{ constructor }}{% endmacro %}{{ m(constructor=1) }}{{ m(**{'constructor': 2}) }}",
    "{% set j = joiner('|') %}{% for i in [1,2,3] %}{{ j() }}{{ i }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{% for i in [1,2,3] %}{{ c.next() }}{% endfor %}{{ c.current }}",
    # White space
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\n  c\n",
    "a\n  {%+ if true %}\n  b\n  {%+ endif +%}\n  c\n",
    "a\n  {%- if true -%}\n  b\n  {%- endif -%}\n  c\n",
    "a {% if true %} b {% endif %} c",
    "a\n  {{ 1 }}\n  {{- 2 }}\n  {{ 3 -}}\n  b",
    "a\n  {# note #}\n  b {# x #} c\n  {#- y -#}\n  d",
    "  {# a #}  {# b #}\nx",
    "{# {{ not }} {% parsed #}x",
    "  {% set x = 1 %}  {% set y = 2 %}\n{{ x }}",
    "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc\r\n",
    "a\rb\r\n{{ 'x\r\ny' }}",
    "a\n\n",
    "\n",
    "",
    "\ta\n\t{% if true %}\n\tb\n\t{% endif %}",
    "{% raw %}{{ x }} {% if %}{% endraw %} y",
    "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
    "a\n  {%- raw -%}\n  {{ x }}\n  {%- endraw -%}\nb",
    "{{ '-}}\n' }}{{ '%}\n  {% x' }}",
    "{{ {'a': {'b': 1}}}}",
    "{{ '{{' }}{{ \"}}\" }}{{ '{% x %}' }}",
    "{%if true%}a{%else%}b{%endif%}",
    "{%\n  if\n  true\n%}\na\n{% endif %}",
    "{{ 1\n+\n2 }}",
    "{{ 'two\nlines' }}",
    "{{- ' a ' -}}  b",
    "<|x|>{{ bos_token }}{ {{ 1 }} } {a} %}",
    "a }} b %} c #} {",
    # Faults of the template
    "{% if %}",
    "{% if true %}",
    "{% endif %}",
    "{{ 1",
    "{{ }}",
    "{{ 1 2 }}",
    "{{ a. }}",
    "{{ [1 }}",
    "{{ 'a }}",
    "{{ 1 | }}",
    "{{ x is }}",
    "{{ a b }}",
    "{{ f(a=1, 2 }}",
    "{% for in x %}{% endfor %}",
    "{% for x y %}{% endfor %}",
    "{% set true = 1 %}",
    "{% set 1 = 1 %}",
    "{% nope %}",
    "{% break %}",
    "{% for i in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{# open",
    "{% raw %} open",
    "{% do x %}",
    "{{ 1 ! 2 }}",
    "{{ a && b }}",
    "{% macro m(1) %}{% endmacro %}",
    "{% call 1 %}{% endcall %}",
    # What templates of chat models do
    "{% if messages | selectattr('role', 'undefined') | list | length > 0 %}{{ raise_exception('roles!') }}{% endif %}ok",
    "{%- set loop_messages = messages[1:] %}{%- set ns = namespace(index=0) %}{%- for message in loop_messages %}"
    "{%- if not (message.role == 'tool' or (message.tool_calls is defined and message.tool_calls is not none)) %}"
    "{%- if (message['role'] == 'user') != (ns.index % 2 == 0) %}{{- raise_exception('roles must alternate') }}{%- endif %}"
    "{%- set ns.index = ns.index + 1 %}{%- endif %}{%- endfor %}{{ ns.index }}",
    "{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] | trim %}{% set messages = messages[1:] %}"
    "{% else %}{% set system_message = '' %}{% endif %}{{ system_message }}{{ messages[0].role }}",
    "{%- if tools is not none and tools %}T{%- else %}N{%- endif %}{% if not tools %}n{% endif %}",
    "{% if add_generation_prompt is defined and add_generation_prompt %}g{% endif %}{% if enable_thinking is defined and enable_thinking is false %}f{% endif %}.",
    "{%- for m in messages | rejectattr('role', 'equalto', 'tool') %}{{ loop.last }}{{ m.role }} {% endfor %}",
    "{% set content = messages[2].content %}{{ content.split('\n')[-1].rstrip() }}|{{ content.strip('\n') }}|{{ content | trim }}",
    "{% for m in messages %}{{ m.get('name', '-') }}{% if 'tool_calls' in m %}{{ m.tool_calls | tojson }}{% endif %}{% endfor %}",
    "{% if messages[0].content is string %}s{% elif messages[0].content is iterable %}i{% endif %}",
    "{{ '<|' + messages[0]['role'] + '|>\\n' + messages[0]['content'] + '\\n' }}",
    "{% set date = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' %}{{ date }}",
    "{% if messages[1] is not defined %}a{% endif %}{% if messages[9] is not defined %}b{% endif %}{% if messages[9].role is defined %}{% endif %}",
    # What is white to Python
    "a\ufeff{%- if true %}b{% endif %}",
    "a\x85\x1c{%- if true -%}\x85\x1cb{% endif %}",
    "{{ 1 -}}\ufeffb",
    "{{ 1 -}}\x85\x1cb",
    "a\n\ufeff{% if true %}b{% endif %}",
    "a\n\x85{% if true %}b{% endif %}",
    "a\n \x1c {# x #}b",
    "{#- a -#}\ufeffb\ufeff{#- c #}",
    "{% raw -%}\ufeffb\ufeff{%- endraw %}",
    "{% raw -%}\x85b\x85{%- endraw %}",
    "{{\ufeff1}}",
    "{{\x851\x1c}}",
    "{%\x85if\x1ftrue %}b{% endif %}",
    "{%\ufeffif true %}b{% endif %}",
    # Macros
    "{% macro m(a, b=1) %}{{ varargs }}{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m.catch_varargs }} {{ m.catch_kwargs }} {{ m.caller }}",
    "{% macro m() %}{% endmacro %}{{ m }} {{ m is callable }} {{ m.nope is defined }} {{ [m] }}",
    "{% macro m(caller) %}{% endmacro %}{{ m.explicit_caller }} {{ m._func is defined }}",
    # Loop controls inside of captured text, and text that is escaped
    "{% for i in [1, 2] %}a{% filter upper %}b{% break %}c{% endfilter %}d{% endfor %}e",
    "{% for i in [1, 2] %}a{% filter upper %}b{% continue %}c{% endfilter %}d{% endfor %}e",
    "{% for i in [1, 2] %}a{% set x %}b{% if i == 2 %}{% break %}{% endif %}c{% endset %}d{{ x }}{% endfor %}e",
    "{% for i in [1, 2] %}a{% with x = 1 %}{% break %}{% endwith %}b{% endfor %}e",
    "{% for i in [1, 2] %}a{% filter e | upper %}<{% filter upper %}{% break %}{% endfilter %}{% endfilter %}{% else %}none{% endfor %}",
    "{% set x | e %}<{% endset %}{{ x | e }}",
    "{% filter e %}<{% endfilter %}",
    "{% macro m(x) %}{{ x | e }}{% endmacro %}{{ m('<' | e) }}{{ m('<') | e }}",
    # Blocks
    "a{% block x %}b{{ nums[0] }}{% endblock %}c",
    "{% set y = 1 %}{% block x %}{{ y }}{% set y = 2 %}{{ y }}{% endblock x %}{{ y }}",
    "{% for i in [1, 2] %}{% block x %}{{ i is defined }}{% endblock %}{% endfor %}",
    "{% for i in [1, 2] %}{% block x scoped %}{{ i }}{{ loop.index }}{% endblock %}{% endfor %}",
    "{% block x %}{% block y %}b{% endblock %}{% endblock %}",
    "{% block x %}b{% endblock %}{{ self.x() }}{{ self.y is defined }}{{ self }}",
    "{% block x %}{% endblock %}{% block x %}{% endblock %}",
    "{% block x %}{% endblock y %}",
    "{% block x-y %}{% endblock %}",
    "{% block %}{% endblock %}",
    "{% for i in [1] %}{% block x %}{% break %}{% endblock %}{% endfor %}",
    "{% macro m() %}{% block x %}{{ messages | length }}{% endblock %}{% endmacro %}{{ m() }}",
    "{% with z = 1 %}{% block x %}{{ z is defined }}{% endblock %}{% endwith %}",
    "a\n  {% block x %}\n  b\n  {% endblock %}\nc",
    "{% block x %}{{ super() }}{% endblock %}",
    "{% block x required %}{% endblock %}",
    "{% block x %}{{ self.x is defined }}{% endblock %}",
    "{% set self = 1 %}{{ self }}",
    # More faults of the template
    "{% for loop in [1] %}{% endfor %}",
    "{% for a, loop in [(1, 2)] %}{% endfor %}",
    "{% for a in [1] %}{% set loop = 1 %}{% endfor %}",
    "{% for a in [1] %}{% set b, loop = 1, 2 %}{% endfor %}",
    "{% for a in [1] %}{% set loop %}x{% endset %}{% endfor %}",
    "{% for a in [1] %}{% if true %}{% macro m() %}{% set loop = 1 %}{% endmacro %}{% endif %}{% endfor %}",
    "{% for a in [] %}{% else %}{% set loop = 1 %}{% endfor %}",
    "{% set loop = 1 %}{{ loop }}",
    "{% set loop = 1 %}{% for a in [1] %}{{ loop.index }}{% endfor %}{{ loop }}",
    "{% for a in [1] %}{% with loop = 1 %}{{ loop }}{% endwith %}{% endfor %}",
    "{% set ns = namespace() %}{% for ns.a in [1] %}{% endfor %}",
    "{% set ns = namespace() %}{% for ns.a, b in [(1, 2)] %}{% endfor %}",
    "{% set ns = namespace() %}{% with ns.a = 1 %}{% endwith %}",
    "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}",
    "{% set ns = namespace() %}{% set ns.a %}x{% endset %}{{ ns.a }}",
    "{% if true %}{% break %}{% endif %}",
    "{% continue %}",
    "{% for a in [1] %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% for a in [1] %}{% else %}{% break %}{% endfor %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% for a in [1] %}{% call m() %}{% break %}{% endcall %}{% endfor %}",
    "{% generation %}{% for a in [1, 2] %}{{ a }}{% break %}{% endfor %}{% endgeneration %}",
    "{% for a in [1, 2] %}{% generation %}{{ a }}{% endgeneration %}{% break %}{% endfor %}",
    "{% generation %}{% set x = 1 %}{% endgeneration %}{% generation %}{{ x is defined }}{% endgeneration %}",
    "{% include 'a' %}",
    "{% extends 'a' %}",
    "{% import 'a' as b %}",
    "{% from 'a' import b %}",
]

SNIPPETS = [*(f"{{{{ {expression} }}}}" for expression in EXPRESSIONS), *BLOCKS]
