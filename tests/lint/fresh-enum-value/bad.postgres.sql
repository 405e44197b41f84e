alter type mood add value if not exists 'calm';
update person set mood = 'calm' where mood is null;
