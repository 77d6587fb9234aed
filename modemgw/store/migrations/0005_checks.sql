-- CHECKs name each state by itself: for a list of more than two, SQLite builds a table of it for every row that is
-- written, which cost a third of all writing. A CHECK can only be changed in the text of the schema (sqlite.org, ALTER
-- TABLE, "Making Other Kinds Of Table Schema Changes"); what it allows stays the same.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'encoding IN (''gsm7'', ''ucs2'', ''8bit'', ''unknown'')',
    'encoding = ''gsm7'' OR encoding = ''ucs2'' OR encoding = ''8bit'' OR encoding = ''unknown''')
    WHERE type = 'table' AND name = 'messages';
UPDATE sqlite_schema SET sql = replace(sql, 'class IN (''otp'', ''alert'', ''command'', ''transactional'', ''bulk'')',
    'class = ''otp'' OR class = ''alert'' OR class = ''command'' OR class = ''transactional'' OR
        class = ''bulk''')
    WHERE type = 'table' AND name = 'messages';
UPDATE sqlite_schema SET sql = replace(sql, 'status IN (''scheduled'', ''queued'', ''sending'', ''uncertain'', ''sent'', ''delivered'', ''undelivered'',
                                  ''failed'', ''expired'', ''cancelled'', ''unknown'', ''held'')',
    'status = ''scheduled'' OR status = ''queued'' OR status = ''sending'' OR
        status = ''uncertain'' OR status = ''sent'' OR status = ''delivered'' OR
        status = ''undelivered'' OR status = ''failed'' OR status = ''expired'' OR
        status = ''cancelled'' OR status = ''unknown'' OR status = ''held''')
    WHERE type = 'table' AND name = 'messages';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''queued'', ''submitting'', ''submitted'', ''delivered'', ''undelivered'',
                         ''failed'', ''uncertain'', ''unknown'', ''expired'', ''cancelled'')',
    'state = ''queued'' OR state = ''submitting'' OR state = ''submitted'' OR
        state = ''delivered'' OR state = ''undelivered'' OR state = ''failed'' OR
        state = ''uncertain'' OR state = ''unknown'' OR state = ''expired'' OR state = ''cancelled''')
    WHERE type = 'table' AND name = 'segments';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''submitting'', ''submitted'', ''not_sent'', ''refused'', ''uncertain'',
                         ''unknown'', ''delivered'', ''undelivered'', ''cancelled'')',
    'state = ''submitting'' OR state = ''submitted'' OR state = ''not_sent'' OR
        state = ''refused'' OR state = ''uncertain'' OR state = ''unknown'' OR
        state = ''delivered'' OR state = ''undelivered'' OR state = ''cancelled''')
    WHERE type = 'table' AND name = 'attempts';
UPDATE sqlite_schema SET sql = replace(sql, 'kind IN (''deliver'', ''status_report'', ''submit'', ''undecodable'')',
    'kind = ''deliver'' OR kind = ''status_report'' OR kind = ''submit'' OR
        kind = ''undecodable''')
    WHERE type = 'table' AND name = 'received';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''pending'', ''delivered'', ''dead'')',
    'state = ''pending'' OR state = ''delivered'' OR state = ''dead''')
    WHERE type = 'table' AND name = 'deliveries';
PRAGMA writable_schema = RESET;
