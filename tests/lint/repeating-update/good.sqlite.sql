UPDATE customer SET data = json_remove(data, '$.old');
