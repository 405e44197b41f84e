alter index if exists customer_mail rename to customer_email;
