/**
 * What people type where a secret is asked for, and what the documentation of session libraries prints.
 * Lower case, letters and digits only.
 */
export const weakSecrets: readonly string[] = [
  // words
  'secret', 'secrets', 'secretkey', 'secretpassword', 'mysecret', 'mysecretkey', 'mysupersecretkey', 'supersecret',
  'supersecretkey', 'topsecret', 'somesecret', 'asecret', 'thesecret', 'yoursecret', 'yoursecretkey', 'yoursecrethere',
  'sessionsecret', 'cookiesecret', 'appsecret', 'clientsecret', 'jwtsecret', 'devsecret', 'testsecret', 'password',
  'passw0rd', 'passwort', 'passphrase', 'mypassword', 'yourpassword', 'admin', 'administrator', 'root', 'toor', 'guest',
  'user', 'login', 'letmein', 'welcome', 'master', 'monkey', 'dragon', 'sunshine', 'princess', 'football', 'baseball',
  'iloveyou', 'trustno1', 'shadow', 'superman', 'batman', 'pokemon', 'starwars', 'whatever', 'hunter2', 'opensesame',
  'abracadabra',
  // placeholders
  'changeme', 'changeit', 'changethis', 'changemeplease', 'pleasechange', 'pleasechangeme', 'replaceme', 'replacethis',
  'fixme', 'todo', 'placeholder', 'example', 'sample', 'default', 'dummy', 'foobar', 'foobarbaz', 'lorem', 'ipsum', 'dolor',
  'sitamet', 'test', 'testing', 'demo', 'development', 'production', 'staging', 'insecure', 'undefined', 'null', 'none',
  'string', 'value', 'random', 'randomstring', 'verysecure', 'longstring', 'inproduction', 'environment', 'yourkeyhere',
  'encryptkey', 'encryptionkey', 'validatekey', 'privatekey', 'signingkey', 'apikey',
  // from documentation
  'keyboardcat', 'shhhh', 'shhhhh', 'hushhush', 'correcthorsebatterystaple', 'averylogphrasebiggerthanthirtytwochars',
  'asecretwithminimumlengthof32characters', 'complexpasswordatleast32characterslong', 'thisisaverylongsecret', 'itsasecret',
  'youshallnotpass', 'unguessable', 'somethingrandom', 'somethingunique', 'setthistosomethingrandomandunguessable',
  'atleast32characters', 'thirtytwo', 'characters', 'beaker', 'pylons', 'webapp2', 'tipfy', 'pycket', 'express', 'phial',
  'session', 'cookie', 'hello', 'world', 'helloworld',
  // rows and runs
  'qwerty', 'qwertyuiop', 'qwertz', 'azerty', 'asdf', 'asdfgh', 'asdfghjkl', 'zxcvbn', 'zxcvbnm', 'yxcvbnm', '1qaz2wsx',
  '1q2w3e4r', 'qazwsx', 'abcd', 'abcdef', 'abcdefgh', 'abcdefghijklmnopqrstuvwxyz', 'abc123', 'zyxwvutsrqponmlkjihgfedcba',
  '1234', '12345', '123456', '1234567', '12345678', '123456789', '1234567890', '0123456789', '0123456789abcdef', '123123',
  '111111', '000000', '654321', '987654321', '0987654321', 'deadbeef', 'cafebabe', 'feedface', 'baadf00d', 'c0ffee',
]
